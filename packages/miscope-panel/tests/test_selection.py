import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.tabulating.asked import TableAsked
from miscope_panel.shown.pin import Pin, read, view_of
from miscope_panel.shown.selection import PAGE_NAME, Place, Selection, read_query, settled, write_query

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}\.[a-z][a-z0-9_]{0,8}", fullmatch=True)
VARIANTS = st.builds(
    lambda family, slug: f"{family}/{slug}", NAMES, st.text(string.ascii_letters + string.digits + "._+=@-", min_size=1)
)
PINS = st.builds(Pin, view=NAMES, variant=VARIANTS, step=st.none() | st.integers(0, 10**9))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLACES = st.builds(
    Place,
    variant=VARIANTS | st.just(""),
    step=st.none() | st.integers(0, 10**9),
    views=st.lists(NAMES | st.builds(str, PINS), unique=True, max_size=6).map(tuple),
    compared=st.lists(VARIANTS, unique=True, max_size=4).map(tuple),
    turned=st.dictionaries(st.tuples(NAMES, st.from_regex(r"[a-z_]{1,10}", fullmatch=True)), TEXTS, max_size=5),
    selected=st.dictionaries(st.sampled_from(["neuron", "site"]), TEXTS),
    page=st.from_regex(PAGE_NAME, fullmatch=True),
    table=st.builds(TableAsked, text=TEXTS, where=TEXTS, columns=st.lists(NAMES, unique=True, max_size=3).map(tuple)),
    dark=st.none() | st.booleans(),
)


@given(PLACES)
def test_every_place_survives_the_address_bar(place):
    assert Place(**read_query("?" + write_query(place), ["neuron", "site", "head"])) == place


@given(st.text(max_size=60))
def test_no_query_is_too_odd_to_be_read(query):
    Place(**read_query(query))


def test_the_address_can_be_read_by_people():
    place = Place(variant="modadd.transformer/p113-seed999", step=24800, views=("behaviour.losses", "neurons.heatmap"))
    place = place.turn("neurons.heatmap", "neuron", "7")
    assert write_query(place) == (
        "v=modadd.transformer/p113-seed999&e=24800&views=behaviour.losses,neurons.heatmap&neurons.heatmap:neuron=7"
    )


def test_what_is_selected_for_all_cards_is_in_the_address_once_and_read_where_it_can_be_selected():
    place = Place(variant="f/a", views=("a.b",)).select({"neuron": "42", "site": "blocks.0.hook_post"})
    assert write_query(place) == "v=f/a&views=a.b&neuron=42&site=blocks.0.hook_post"
    assert Place(**read_query(write_query(place), ["neuron", "site"])) == place
    assert read_query("?neuron=42&head=3", ["head"]) == {"selected": {"head": "3"}}


def test_unknown_keys_and_unreadable_values_are_left_out():
    assert read_query("?e=soon&page=No/where&utm_source=mail&v=&views=a.b,,a.b") == {"views": ("a.b",)}


def test_variants_that_are_compared_follow_the_first_as_older_addresses_have_them_too():
    both = {"variant": "f/a", "compared": ("f/b,c", "f/d")}
    assert Place(**read_query(write_query(Place(**both)))) == Place(**both)
    assert write_query(Place(**both)) == "v=f/a&v=f/b,c&v=f/d&views="
    assert read_query("?v=f/a&with=f/b,f/d") == {"variant": "f/a", "compared": ("f/b", "f/d")}


def test_step_zero_can_be_asked_for():
    assert read_query("?e=0") == {"step": 0}


@pytest.mark.parametrize(("asked", "shown"), [(0, 0), (9, 0), (10, 10), (19, 10), (30, 30), (10**6, 30), (None, 30)])
def test_the_checkpoint_shown_is_the_nearest_at_or_before(asked, shown):
    assert settled([0, 10, 30], asked) == shown


def test_before_the_first_checkpoint_the_first_is_shown():
    assert settled([5, 10], 2) == 5
    assert settled([], 2) is None


def test_a_board_without_cards_is_told_from_one_of_which_nothing_is_said():
    closed = Place(views=("a.b",)).close("a.b")
    assert write_query(closed) == "views=none"
    assert Place(**read_query("views=none")) == closed != Place(**read_query("views="))
    assert closed.open("a.b") == Place(views=("a.b",))


def test_a_control_put_back_leaves_the_address():
    place = Place().turn("a.b", "neuron", "7")
    assert place.controls_of("a.b") == {"neuron": "7"}
    assert place.turn("a.b", "neuron", None) == Place()


def test_opening_a_view_twice_opens_it_once_and_the_last_stands_last():
    place = Place().open("a.b").open("c.d").open("a.b")
    assert place.views == ("a.b", "c.d")
    assert place.close("a.b").views == ("c.d",)


def test_a_move_is_seen_once_with_all_its_changes():
    selection, seen = Selection(), []
    selection.param.watch(lambda event: seen.append(event.new), "place")
    selection.move(step=5, dark=True)
    assert seen == [Place(step=5, dark=True)]


@given(PINS)
def test_a_pin_is_read_as_it_was_written(held):
    assert read(str(held)) == held
    assert view_of(str(held)) == held.view


@pytest.mark.parametrize("entry", ["a.b", "a.b@f/v", "a.b@f/v@soon", "a.b@@5", "a.b@"])
def test_what_is_no_pin_is_read_as_none(entry):
    assert read(entry) is None


def test_a_pin_stands_beside_its_view_with_its_controls_and_leaves_with_them():
    held = Pin(view="a.b", variant="f/v", step=5)
    before = Place(views=("a.b", "c.d")).turn("a.b", "neuron", "7")
    place = before.hold("a.b", held)
    assert place.views == ("a.b", "a.b@f/v@5", "c.d")
    assert place.controls_of(str(held)) == {"neuron": "7"}
    assert place.hold("a.b", held) == place
    assert place.close(str(held)) == before


def test_a_view_that_is_closed_keeps_its_controls_for_the_next_time():
    place = Place(views=("a.b",)).turn("a.b", "neuron", "7")
    assert place.close("a.b").open("a.b") == place


def test_the_colours_are_those_that_the_browser_asks_for_until_others_are_chosen():
    selection = Selection()
    selection.prefers_dark = True
    assert (selection.dark, write_query(selection.place)) == (True, write_query(Place()))
    selection.move(dark=False)
    assert (selection.dark, read_query(write_query(selection.place))["dark"]) == (False, False)
    assert "dark" not in read_query("theme=sepia")
