from miscope import Lens, LensSection, LensView
from miscope_panel.shown.lens_cards import CardSection, LensCard, cards_of, under_headings
from miscope_panel.shown.pin import Pin, view_of
from miscope_panel.shown.selection import Place, read_query, write_query

LENS = Lens(
    name="two",
    title="Two",
    sections=(
        LensSection(
            title="First",
            views=(
                LensView(view="a.b", title="Named", controls={"on": True, "n": 3}),
                LensView(view="a.b", controls={"n": 4}),
                LensView(view="gone.away"),
            ),
        ),
        LensSection(title="Nothing of it", views=(LensView(view="gone.away"),)),
        LensSection(title="Last", views=(LensView(view="c.d"), LensView(view="a.b"))),
    ),
)
SECTIONS = (
    CardSection(
        title="First",
        cards={
            "a.b": LensCard(title="Named", controls={"on": "true", "n": "3"}),
            "a.b~2": LensCard(controls={"n": "4"}),
        },
    ),
    CardSection(title="Last", cards={"c.d": LensCard(), "a.b~3": LensCard()}),
)


def test_each_time_a_lens_names_a_view_it_is_a_card_of_its_own_and_what_is_not_installed_is_none():
    assert cards_of(LENS, {"a.b", "c.d"}) == SECTIONS


def test_the_entry_of_a_further_card_leads_to_its_view_held_or_not():
    assert view_of("a.b~2") == "a.b"
    assert view_of(str(Pin(view="a.b~2", variant="f/s", step=3))) == "a.b"


def test_cards_stand_under_the_headings_of_their_lens_and_others_after_them():
    views = ("x.y", "a.b~3", "a.b", "c.d")
    assert under_headings(views, SECTIONS) == (
        ("First", ("a.b",)),
        ("Last", ("a.b~3", "c.d")),
        ("Also open", ("x.y",)),
    )
    assert under_headings(views, ()) == (("", views),)


def test_the_address_of_a_lens_names_it_and_what_differs_from_it_alone():
    place = Place(variant="f/s").through("two", SECTIONS)
    assert write_query(place, SECTIONS) == "v=f/s&lens=two"
    turned = place.turn("a.b~2", "n", "9").close("c.d")
    assert write_query(turned, SECTIONS) == "v=f/s&views=a.b,a.b~2,a.b~3&lens=two&a.b~2:n=9"
    assert read_query(write_query(turned, SECTIONS))["turned"] == {("a.b~2", "n"): "9"}


def test_a_lens_sets_its_own_controls_and_leaves_those_of_other_cards():
    before = Place().turn("a.b", "n", "8").turn("x.y", "n", "1")
    after = before.through("two", SECTIONS)
    assert after.turned == {("a.b", "on"): "true", ("a.b", "n"): "3", ("a.b~2", "n"): "4", ("x.y", "n"): "1"}
    assert after.views == ("a.b", "a.b~2", "c.d", "a.b~3")
