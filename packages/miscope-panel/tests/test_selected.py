"""What is selected is the same on all cards: by their controls, by clicks, by keys, in the address."""

from dataclasses import replace
from urllib.parse import parse_qs

import plotly.graph_objects as go
import pytest

from miscope import Choice, Grain, Number, Toggle, View
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.film_of_card import film_of_card
from miscope_panel.shown.lens_cards import CardSection, LensCard
from miscope_panel.shown.one_of import lenses_of_one
from miscope_panel.shown.picture import Request, as_shown
from miscope_panel.shown.pin import Pin
from miscope_panel.shown.report_cards import report_of_cards
from miscope_panel.shown.selectable import selectable
from miscope_panel.shown.selected import moved_by, selected_of, selecting, shown_instead, turning
from miscope_panel.shown.selection import Place


def view(name, *controls, grain=Grain.CHECKPOINT, **declared):
    return View(name=name, title=name, grain=grain, draw=lambda shown: go.Figure(), controls=controls, **declared)


NEURON, UNIT = Number(name="neuron", default=0), Number(name="unit", default=0, selects="neuron")
OWN = Choice(name="site", options=("a", "b"), selects="")
MAP = view("a.map", NEURON, Toggle(name="head"))
PYRAMID, CURVE = view("a.pyramid", UNIT, OWN), view("a.curve", NEURON, grain=Grain.TRAJECTORY)
SHEET = view("a.sheet", Choice(name="sort", options=("x",)), selects=("neuron", "theme"))
VIEWS = {each.name: each for each in (MAP, PYRAMID, CURVE, SHEET)}
HELD = str(Pin(view="a.map", variant="f/v", step=5))


def test_controls_select_by_what_they_declare_or_by_their_name_and_no_switch_does():
    assert MAP.selected_by == {"neuron": "neuron"}
    assert PYRAMID.selected_by == {"unit": "neuron"}
    assert SHEET.selected_by == {}


def test_what_an_address_says_already_cannot_be_selected():
    assert selectable(VIEWS.values()) == {"neuron"}


def test_a_control_turned_on_one_card_is_turned_on_all_that_have_it_and_on_none_that_is_held():
    place = Place(views=tuple(VIEWS)).turn("a.map", "neuron", "1").turn(HELD, "neuron", "3")
    assert selected_of(place, "a.map", MAP) == {}
    place = turning(place, ("a.pyramid", "unit", "7"), VIEWS)
    assert place.turned == {(HELD, "neuron"): "3"}
    shown = {name: selected_of(place, name, each) for name, each in VIEWS.items()}
    assert shown == {"a.map": {"neuron": "7"}, "a.pyramid": {"unit": "7"}, "a.curve": {"neuron": "7"}, "a.sheet": {}}
    assert selected_of(place, HELD, MAP) == {}


def test_any_other_control_and_one_of_a_held_card_is_turned_there_alone():
    place = turning(Place(), ("a.sheet", "sort", "x"), VIEWS)
    assert place == Place().turn("a.sheet", "sort", "x")
    assert turning(Place(), (HELD, "neuron", "4"), VIEWS) == Place().turn(HELD, "neuron", "4")


def test_what_the_lens_sets_of_a_card_stays_that_cards_own():
    sections = (CardSection(title="", cards={"a.map": LensCard(controls={"neuron": "5"})}),)
    place = Place().through("lens", sections)
    chosen = selecting(place, {"neuron": "9"}, VIEWS, sections)
    assert chosen.controls_of("a.map") == {"neuron": "5"}
    assert chosen.selected == {"neuron": "9"}
    assert turning(chosen, ("a.map", "neuron", "6"), VIEWS, sections).selected == {"neuron": "9"}


def test_a_click_selects_only_what_some_view_shows():
    assert selecting(Place(), {"neuron": "9", "theme": "dark"}, VIEWS) == Place(selected={"neuron": "9"})


NUMBERS = {"name": "neuron", "kind": "number", "value": 3, "minimum": 0, "maximum": 8, "whole": True}
NAMES = {"name": "head", "kind": "choice", "value": "L0H0", "options": ["L0H0", "L0H1", "L1H0"]}


@pytest.mark.parametrize(
    ("control", "now", "amount", "then"),
    [
        (NUMBERS, None, 1, "4"),
        (NUMBERS, "7", 1, "8"),
        (NUMBERS, "8", 1, None),
        (NUMBERS, "0", -1, None),
        (NUMBERS, "many", -1, "2"),
        ({**NUMBERS, "maximum": None}, "8", 1, "9"),
        (NAMES, None, 1, "L0H1"),
        (NAMES, "L1H0", 1, None),
        (NAMES, "gone", 1, "L0H1"),
    ],
)
def test_the_next_one_is_the_one_that_the_control_offers_after_this(control, now, amount, then):
    assert moved_by(control, now, amount) == then


@pytest.mark.parametrize(
    ("value", "controls", "said"),
    [
        ("3", [NUMBERS], ""),
        ("3.0", [NUMBERS], ""),
        ("L0H0", [NAMES], ""),
        ("500", [], ""),
        ("500", [NUMBERS, NUMBERS], "not in this variant: showing 3"),
        ("abc", [NUMBERS], "not in this variant: showing 3"),
        ("L9H9", [NAMES], "not in this variant: showing L0H0"),
        ("500", [NUMBERS, {**NUMBERS, "value": 500}], "not in all cards: others show 3"),
    ],
)
def test_where_a_control_cannot_show_what_is_selected_it_is_said_what_it_shows(value, controls, said):
    assert shown_instead(value, controls) == said


def test_there_is_a_lens_of_all_that_shows_one_neuron_and_where_it_stands_among_all():
    lenses = lenses_of_one(VIEWS)
    assert {name: lens.title for name, lens in lenses.items()} == {"one-neuron": "One neuron"}
    sections = {section.title: [shown.view for shown in section.views] for section in lenses["one-neuron"].sections}
    assert sections == {
        "At the step shown": ["a.map", "a.pyramid"],
        "Over training": ["a.curve"],
        "Among all neurons": ["a.sheet"],
    }


@pytest.fixture
def bench(trained, at_once):
    return lambda query="": Dashboard(server_context(trained, at_once), query)


def neurons(opened):
    return [control["value"] for card in opened.workbench.board for control in card.picture["controls"][1:2]]


def test_a_click_shows_the_neuron_on_every_card_and_a_second_visitor_finds_it_so(bench, name):
    opened = bench(f"v={name}&views=small.neuron,small.losses&e=10")
    losses = opened.workbench.board[1].picture
    opened.workbench.board[1].on_message({"kind": "select", "values": {"neuron": "5", "nonsense": "1"}})
    assert neurons(opened)[0] == 5
    assert opened.workbench.board[1].picture is losses
    assert parse_qs(opened.shell.query)["neuron"] == ["5"]
    assert "nonsense" not in opened.shell.query
    assert neurons(bench(opened.shell.query))[0] == 5
    assert opened.shell.selected == {"neuron": "5"}


def test_an_old_address_opens_as_it_did_and_follows_from_then_on(bench, name):
    opened = bench(f"v={name}&views=small.neuron&e=10&neuron=4&small.neuron:neuron=7")
    assert neurons(opened) == [7]
    opened.workbench.board[0].on_message({"kind": "turn", "control": "neuron", "value": "8"})
    assert neurons(opened) == [8]
    assert "small.neuron:neuron" not in opened.shell.query


def test_keys_select_the_next_neuron_from_the_one_that_is_shown_up_to_the_last(bench, name):
    opened = bench(f"v={name}&views=small.losses,small.neuron&e=10")
    bar = opened.workbench.selected
    assert bar.css_classes == ["away"]
    bar._handle_msg({"kind": "move", "of": ["neuron", "latent"], "by": 1})
    assert (neurons(opened)[-1], opened.selection.place.selected) == (4, {"neuron": "4"})
    assert (bar.css_classes, [each["value"] for each in bar.shown]) == ([], ["4"])
    bar._handle_msg({"kind": "move", "of": ["neuron"], "by": 1000})
    assert neurons(opened)[-1] == 15
    bar._handle_msg({"kind": "move", "of": ["head"], "by": 1})
    bar._handle_msg({"kind": "leave", "what": "neuron"})
    assert (neurons(opened)[-1], opened.selection.place.selected) == (3, {})


def test_a_neuron_that_a_variant_has_not_is_no_reason_to_show_nothing(bench, name):
    opened = bench(f"v={name}&views=small.neuron&e=10&neuron=700&site=nowhere")
    assert opened.workbench.board[0].picture["state"] == "figure"
    assert neurons(opened) == [3]


def test_a_card_that_is_held_keeps_its_neuron_and_a_report_has_the_one_that_is_seen(bench, name, trained):
    opened = bench(f"v={name}&views=small.neuron&e=10&neuron=5&site=nowhere")
    opened.workbench.board[0].on_message({"kind": "hold"})
    opened.workbench.board[0].on_message({"kind": "turn", "control": "neuron", "value": "6"})
    assert neurons(opened) == [6, 5]
    now, held = (as_shown(trained, request) for _, request in opened.workbench.cards.cards())
    assert (now.controls["neuron"], held.controls["neuron"]) == ("6", "5")
    assert now.controls["site"] == "blocks.0.mlp.hook_post"


@pytest.mark.parametrize(("neuron", "shown"), [("5", "5"), ("700", "3"), ("abc", "3")])
def test_a_report_has_what_is_selected_also_of_cards_that_were_never_drawn(bench, name, trained, neuron, shown):
    entries = [str(Pin(view="small.losses", variant=name, step=step)) for step in range(8)]
    opened = bench(f"v={name}&views={','.join(entries)},small.neuron&e=10&neuron={neuron}")
    assert opened.workbench.board[8].picture == {}
    _, request = opened.workbench.cards.cards()[8]
    assert as_shown(trained, request).controls == {"neuron": shown}


def test_what_cannot_be_read_has_nothing_selected_and_says_why_in_its_place(trained, name, tmp_path):
    lost = Request(view="small.attention", variant=name, selected={"head": "L0H0"})
    assert as_shown(trained, lost) == replace(lost, selected={})
    asked = Request(view="small.neuron", variant=name, step=10, selected={"neuron": "5"})
    assert [*report_of_cards(trained, [("", asked), ("", lost)], [name], tmp_path / "r.md.html")]
    assert "neuron=5" in (tmp_path / "r.md.html").read_text()
    assert [*film_of_card(trained, asked, tmp_path / "f.html")]
    assert "neuron 5" in (tmp_path / "f.html").read_text().lower()


@pytest.mark.parametrize("neuron", ["700", "abc"])
def test_the_bar_says_where_the_cards_show_another_one_than_is_selected(bench, name, neuron):
    opened = bench(f"v={name}&views=small.neuron,small.losses&e=10&neuron={neuron}")
    bar = opened.workbench.selected
    assert [each["note"] for each in bar.shown] == ["not in this variant: showing 3"]
    opened.workbench.board[0].on_message({"kind": "turn", "control": "neuron", "value": "5"})
    assert [each["note"] for each in bar.shown] == [""]


def test_one_that_was_turned_for_its_card_alone_is_no_other_than_is_selected(bench, name):
    opened = bench(f"v={name}&views=small.neuron&e=10&neuron=4&small.neuron:neuron=7")
    assert [each["note"] for each in opened.workbench.selected.shown] == [""]


def test_charts_of_every_page_hear_what_is_selected(bench, name):
    opened = bench(f"page=compare&v={name}&neuron=5")
    assert opened.shell.selected == {"neuron": "5"}
