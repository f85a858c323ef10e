"""The page of comparisons: several variants of one view, in each way of looking at them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from miscope.errors import MiscopeError
from miscope.figures.comparing.same_inputs import SameInputs
from miscope.store.annotation import AnnotationChange, PinnedStep
from miscope.store.annotation_files import change_annotation
from miscope_panel.page import compare_page
from miscope_panel.page.card import sent
from miscope_panel.page.compared_group import ComparedGroup
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.comparing import compared_view as compared_views
from miscope_panel.shown.comparing.bar_shown import bar_shown, courses_shown, notes_of
from miscope_panel.shown.comparing.compared import compared
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.comparing.compared_view import compared_view
from miscope_panel.shown.comparing.comparison import Comparison, read_comparison
from miscope_panel.shown.selection import Place, read_query, write_query
from miscope_panel.shown.training_stages import Stage

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"
BOTH = f"page=compare&v={FIRST}&v={OTHER}"


@pytest.fixture
def open_page(trained, at_once):
    """open_page("..."): the dashboard, and its page of comparisons."""

    def opened(query: str):
        dashboard = Dashboard(server_context(trained, at_once), query)
        return dashboard, dashboard.opened("compare")

    return opened


def cards(page):
    return [each for each in page.board if hasattr(each, "picture")]


def figures(page):
    return [json.loads(card.picture["figure"]) for card in cards(page)]


def test_what_differs_comes_first(open_page):
    _, page = open_page(BOTH)
    assert page.bar.differs == "They differ only in seed."
    assert page.bar.fields == [{"name": "seed", "values": ["0", "1"]}]
    assert [(chip["label"], chip["variant"]) for chip in page.bar.chips] == [("seed=0", FIRST), ("seed=1", OTHER)]
    assert page.bar.can_mean


def test_any_view_over_training_is_laid_over_in_the_colours_of_the_variants(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses")
    (figure,) = figures(page)
    colours = {trace["name"].partition(" · ")[0]: trace["line"]["color"] for trace in figure["data"]}
    assert {chip["label"]: chip["colour"] for chip in page.bar.chips}.items() <= colours.items()
    assert [card.title for card in cards(page)] == ["Losses"]


def test_the_steps_that_all_axes_over_training_show_are_in_the_address(open_page):
    dashboard, page = open_page(f"{BOTH}&compare:views=small.losses&cursor:between=5,25")
    assert page.cursor.between == "5,25"
    page.cursor.between = "10,20"
    assert "cursor:between=10,20" in dashboard.shell.query


def test_about_a_zoom_every_record_is_drawn_of_all_as_their_clocks_stand(trained, monkeypatch):
    monkeypatch.setattr("miscope.figures.recorded_points.MOST_POINTS", 5)
    first, other = compared(trained, [FIRST, OTHER]).members
    members = [replace(first, events={"found": 10.0}), replace(other, events={"found": 16.0})]
    for align, ends in (("step", [(12, 14), (12, 14)]), ("found", [(12, 14), (18, 20)])):
        cards = compared_view(trained, request(members, mode="grid", align=align, between=(12.0, 14.0))).cards
        assert [card.request.between for card in cards if card.request] == ends
        (curve, *_) = json.loads(cards[1].picture.figure)["data"]
        assert len(curve["x"]) < 31
    assert request(members, between=(12.0, 14.0)).key != request(members).key


def test_the_cursor_knows_how_the_axes_count_steps(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:align=fraction")
    assert page.cursor.axis_clock == {"zero": 0.0, "unit": 30.0, "title": "fraction of training"}
    page.bar.on_message({"kind": "turn", "control": "align", "value": "step"})
    assert page.cursor.axis_clock == {"zero": 0.0, "unit": 1.0, "title": ""}


def test_small_multiples_have_a_card_for_each_with_the_same_axes(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:mode=grid")
    assert [card.title for card in cards(page)] == ["seed=0", "seed=1"]
    # Curves beside each other keep the colours of their view, of which one may be that of a variant.
    assert [card.letter for card in cards(page)] == ["A", "B"]
    first, second = figures(page)
    assert first["layout"]["yaxis"]["range"] == second["layout"]["yaxis"]["range"]
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:mode=grid&compare:scales=own")
    assert "range" not in figures(page)[0]["layout"]["yaxis"]


def test_heat_maps_stand_beside_each_other_where_they_cannot_be_laid_over(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.neuron&e=10")
    assert [card.title for card in cards(page)] == ["seed=0", "seed=1"]
    assert [card.picture["badge"] for card in cards(page)] == ["epoch 10", "epoch 10"]
    heading = next(each for each in page.board if not hasattr(each, "picture"))
    assert heading.note == "Beside each other: heat maps would hide each other."


def test_each_part_of_the_board_knows_where_it_stands_and_a_heading_that_it_is_off_it(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:mode=grid")
    heading = page.board[0]
    assert (heading.title, heading.note, heading.gone) == ("Losses", "", False)
    page.bar.on_message({"kind": "turn", "control": "mode", "value": "overlay"})
    assert (heading in list(page.board), heading.gone) == (False, True)
    page.bar.on_message({"kind": "turn", "control": "mode", "value": "grid"})
    assert (page.board[0] is heading, heading.gone) == (True, False)
    assert [part.place for part in page.board] == [0, 1, 2]


def test_the_difference_is_the_second_less_the_first(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses,small.neuron&compare:mode=difference")
    assert [card.title for card in cards(page)] == ["seed=1  −  seed=0"] * 2
    assert [card.picture["state"] for card in cards(page)] == ["figure", "figure"]
    assert figures(page)[0]["layout"]["yaxis"]["title"]["text"] == "difference"


def test_no_difference_is_drawn_of_other_inputs_and_the_page_says_so(empty, at_once):
    names = []
    for values in (5, 7):
        variant = empty.variant("toy.sum", values=values)
        list(variant.train(threads=1))
        names.append(variant.name)
    query = f"page=compare&v={names[0]}&v={names[1]}&compare:views=small.neuron&compare:mode=difference"
    page = Dashboard(server_context(empty.value, at_once), query).opened("compare")
    (card,) = cards(page)
    reason = next(note["text"] for note in page.bar.notes if note["bad"])
    assert reason.startswith("small.neuron: computed on different probes: values=5 on 25 inputs (")
    assert "; values=7 on 49 inputs (" in reason
    assert card.picture["state"] == "inapplicable"
    assert card.picture["words"][0] == "values=7 and values=5 cannot be subtracted here."
    assert card.picture["words"][1].startswith("Computed on different probes: values=5 on 25 inputs")


def test_a_variant_that_an_event_did_not_happen_to_is_left_out_with_a_word_and_a_choice(open_page):
    dashboard, page = open_page(f"{BOTH}&compare:views=small.losses&compare:mode=grid&compare:align=grokking")
    assert [card.picture["words"] for card in cards(page)] == [
        ["seed=0 cannot be aligned by “grokking”.", "It never happened in this run."],
        ["seed=1 cannot be aligned by “grokking”.", "It never happened in this run."],
    ]
    assert [choice["label"] for choice in cards(page)[1].picture["choices"]] == ["Align by epoch", "Hide seed=1"]
    cards(page)[1].on_message({"kind": "choose", "control": "hide", "value": OTHER})
    assert [card.title for card in cards(page)] == ["seed=0"]
    cards(page)[0].on_message({"kind": "choose", "control": "align", "value": ""})
    assert cards(page)[0].picture["state"] == "figure"
    page.bar.on_message({"kind": "show", "name": OTHER})
    assert [card.title for card in cards(page)] == ["seed=0", "seed=1"]
    assert "compare:align" not in write_query(dashboard.selection.place)


def test_by_fraction_of_training_the_axis_ends_at_one(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:align=fraction")
    (figure,) = figures(page)
    assert figure["layout"]["xaxis"]["title"]["text"] == "fraction of training"
    assert figure["layout"]["meta"]["miscope"]["clock"] == {"zero": 0.0, "unit": 30.0}


def test_cards_that_are_taken_off_the_board_are_gone_for_good(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses,small.norms")
    losses, norms = cards(page)
    page.bar.on_message({"kind": "turn", "control": "mode", "value": "grid"})
    assert (losses.gone, norms.gone) == (True, True)
    assert [card.gone for card in cards(page)] == [False] * 4


def test_time_is_counted_as_the_page_aligns_it_whatever_a_card_was_turned_to(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&small.losses:clock=fraction")
    (figure,) = figures(page)
    assert figure["layout"]["xaxis"]["title"]["text"] == "epoch"
    (offered,) = [each["options"] for each in cards(page)[0].picture["controls"] if each["name"] == "clock"]
    assert offered == ["linear", "log"]


def test_everything_is_in_the_address(open_page, trained):
    dashboard, page = open_page(BOTH)
    say = page.bar.on_message
    say({"kind": "turn", "control": "mode", "value": "ab"})
    say({"kind": "turn", "control": "align", "value": "fraction"})
    say({"kind": "turn", "control": "mean", "value": "1"})
    say({"kind": "add", "what": "view", "name": "small.norms"})
    say({"kind": "lead", "name": OTHER})
    query = write_query(dashboard.selection.place)
    asked = read_comparison(Place(**read_query(query)), trained.plugins.views)
    assert (asked.mode, asked.align, asked.mean) == ("ab", "fraction", True)
    assert asked.views[-1] == "small.norms"
    assert [chip["variant"] for chip in page.bar.chips] == [OTHER, FIRST]
    assert query.startswith(f"v={OTHER}&v={FIRST}&")
    say({"kind": "remove", "name": FIRST})
    assert [note["text"] for note in page.bar.notes] == [
        "Add another variant to compare it with. Or select some on the page of runs and press “Compare”."
    ]


def test_who_has_no_side_of_two_is_said_not_to_be_shown(trained):
    known = compared(trained, [FIRST, OTHER])
    third = replace(known.members[1], chip=replace(known.members[1].chip, variant="toy.sum/third", label="seed=2"))
    three = replace(known, members=(*known.members, third))

    def words(**asked):
        shown = bar_shown(three, Comparison(**asked), trained.plugins.views)
        return [chip["words"][:1] == ["not shown"] for chip in shown["chips"]]

    def notes(*views, mode="ab"):
        return [note["text"] for note in notes_of(three, Comparison(mode=mode, views=views), {}, trained.plugins.views)]

    one, of_all = ("small.losses",), ("small.compared",)
    assert words(mode="ab", views=one) == [False, False, True]
    assert words(mode="ab", views=one, hidden=(FIRST,)) == words(mode="grid", views=one) == [False, False, False]
    how = (
        ": A | B has room for two variants. Press the name of one to make it A, or choose “Small multiples” to see all."
    )
    assert notes(*one) == [f"C is not shown{how}"]
    assert notes(*one, mode="grid") == []
    # One that compares runs by itself shows all of them.
    assert words(mode="ab", views=of_all) == words(mode="ab", views=one + of_all) == [False, False, False]
    assert notes(*of_all) == []
    assert notes(*one, *of_all) == [f"C is not shown in every view{how}"]


def test_closing_the_last_view_leaves_none(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses")
    cards(page)[0].on_message({"kind": "close"})
    assert cards(page) == []
    assert len(page.board) == 1


def test_a_view_that_fails_stays_in_its_card(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.broken,small.losses")
    broken = [card for card in cards(page) if card.picture["state"] == "error"]
    assert [card.title for card in broken] == ["seed=0", "seed=1"]
    assert cards(page)[0].title == "Losses"


def test_a_variant_that_is_not_here_is_named(open_page):
    _, page = open_page(f"{BOTH}&v=toy.sum/none")
    assert page.bar.notes[0] == {"text": "There is no variant 'toy.sum/none' here.", "bad": True, "choices": []}
    assert len(page.bar.chips) == 2


def test_a_variant_that_cannot_be_opened_says_why_as_on_the_workbench(open_page, trained):
    folder = trained.store.layout.variants / "toy.sum" / "v5-seed8-width16"
    folder.mkdir()
    (folder / "variant.json").write_text("{bad")
    try:
        _, page = open_page(f"{BOTH}&v=toy.sum/v5-seed8-width16")
        assert page.bar.notes[0]["text"].startswith(
            f"'toy.sum/v5-seed8-width16' cannot be opened. {folder / 'variant.json'} cannot be read. "
        )
        assert page.bar.notes[0]["bad"]
    finally:
        (folder / "variant.json").unlink()
        folder.rmdir()


def test_while_another_page_is_looked_at_the_keys_are_that_pages(open_page):
    dashboard, page = open_page(BOTH)
    assert page.cursor.active
    dashboard.selection.move(page="views")
    assert not page.cursor.active
    assert dashboard.workbench.cursor.active


def test_a_view_that_compares_by_itself_is_shown_as_it_is_in_every_way(open_page):
    for mode in ("overlay", "difference"):
        _, page = open_page(f"{BOTH}&compare:views=small.compared&compare:mode={mode}")
        assert [card.title for card in cards(page)] == ["Compared"]
        assert [trace["name"] for trace in figures(page)[0]["data"]] == ["seed=0", "seed=1"]


def test_a_card_tells_what_it_shows(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses,small.neuron&compare:mode=grid")
    cards(page)[1]._handle_msg({"kind": "about"})
    assert OTHER in cards(page)[1].about["text"]


def test_of_more_variants_than_there_are_colours_the_first_are_shown_and_the_page_says_so(open_page):
    _, page = open_page(BOTH + "".join(f"&v=toy.sum/none{number}" for number in range(7)))
    assert page.bar.notes[0]["text"] == "The first 8 of 9 variants are shown: so many colours can be told apart."


def request(members, **more):
    asked = {"mode": "difference", "align": "step", "own_scales": False, "step": None, **more}
    return ComparedRequest(view="small.losses", members=tuple(members), **asked)


def test_what_is_left_of_a_difference_without_others_says_so_and_the_others_come_back(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.losses&compare:mode=difference&compare:hide={OTHER}")
    (card,) = cards(page)
    assert card.picture["words"] == [
        "There is nothing that seed=0 could be subtracted from.",
        "No other variant is shown.",
    ]
    page.bar.on_message({"kind": "show", "name": OTHER})
    assert [(card.title, card.picture["state"]) for card in cards(page)] == [("seed=1  −  seed=0", "figure")]


def test_a_difference_by_an_event_that_only_the_first_has_says_so(trained):
    first, other = compared(trained, [FIRST, OTHER]).members
    made = compared_view(trained, request([replace(first, events={"found": 10.0}), other], align="found"))
    assert [card.picture.words[0] for card in made.cards] == ["seed=1 cannot be aligned by “found”."]


def test_a_variant_on_another_probe_is_not_subtracted_and_the_others_are(trained, monkeypatch):
    first, other = compared(trained, [FIRST, OTHER]).members
    third = replace(other, chip=replace(other.chip, label="third"))
    answers = [SameInputs(same=False, words="all"), SameInputs(same=True), SameInputs(same=False, words="other probe")]
    monkeypatch.setattr(compared_views, "same_inputs", lambda *_: answers.pop(0))
    made = compared_view(trained, request([first, other, third]))
    assert [card.picture.state for card in made.cards] == ["figure", "inapplicable"]
    assert made.cards[1].picture.words[1] == "Other probe."
    assert made.inputs.words == "all"


def test_a_picture_that_is_aligned_otherwise_is_not_offered_as_it_would_be_drawn_by_step(trained):
    members = compared(trained, [FIRST, OTHER]).members
    by_step, by_share = (
        compared_view(trained, request(members, mode="grid", align=align)).cards for align in ("step", "fraction")
    )
    assert all(card.picture.taken["query"] for card in by_step)
    assert [[*card.picture.taken] for card in by_share] == [["python"], ["python"]]


def test_pictures_are_made_anew_for_another_colour_or_last_step(trained):
    (member,) = compared(trained, [FIRST]).members
    key = request([member]).key
    assert request([replace(member, last=member.last + 1)]).key != key
    assert request([replace(member, chip=replace(member.chip, colour="#123456"))]).key != key
    assert request([replace(member)]).key == key


def test_bars_have_a_mean_and_what_can_have_none_is_beside_each_other_and_says_why(open_page):
    _, page = open_page(f"{BOTH}&compare:views=small.norms,small.neuron&compare:mean=1")
    laid = next(card for card in cards(page) if card.title == "Norms")
    subtitle = json.loads(laid.picture["figure"])["layout"]["title"]["subtitle"]["text"]
    assert subtitle == "mean of 2 runs · too few for an interval"
    heading = next(each for each in page.board if not hasattr(each, "picture"))
    assert heading.note == "Beside each other: heat maps would hide each other."


def test_means_are_over_the_seeds_of_each_configuration(empty, at_once):
    names = []
    for fields in ({"seed": 0}, {"seed": 1}, {"seed": 0, "width": 32}):
        variant = empty.variant("toy.sum", **fields)
        list(variant.train(threads=1))
        names.append(f"v={variant.name}")
    query = f"page=compare&{'&'.join(names)}&compare:views=small.losses&compare:mean=1"
    page = Dashboard(server_context(empty.value, at_once), query).opened("compare")
    assert page.bar.can_mean
    (figure,) = figures(page)
    legend = [trace["name"] for trace in figure["data"] if trace["showlegend"]]
    assert legend[:2] == ["width=16 (n=2)", "width=32 (n=1)"]
    page._hide((OTHER,))
    assert not page.bar.can_mean
    (figure,) = figures(page)
    assert [trace["name"] for trace in figure["data"] if trace["showlegend"]][:1] == ["seed=0, width=16"]


def test_what_is_marked_along_each_training_stands_where_its_steps_do(trained):
    first, other = compared(trained, [FIRST, OTHER]).members
    stage, pin = Stage(name="plateau", first=0, last=20, colour="#123456"), PinnedStep(step=10, note="here")
    marked = replace(first, events={"found": 10.0}, stages=(stage,), pins=(pin,))
    (course,) = courses_shown([marked, other], "found")
    assert course == {
        "variant": FIRST,
        "label": "seed=0",
        "colour": first.chip.colour,
        "clock": {"zero": 10.0, "unit": 1.0},
        "stages": [{"name": "plateau", "first": 0, "last": 20, "colour": "#123456"}],
        "pins": [{"step": 10, "note": "here"}],
    }


def test_the_page_reads_the_pins_of_all_and_turns_their_axes_at_once(empty, at_once):
    names = []
    for seed in (0, 1):
        variant = empty.variant("toy.sum", seed=seed)
        list(variant.train(threads=1))
        change_annotation(
            empty.value.store, variant.name, AnnotationChange(pins=(PinnedStep(step=10 * seed, note=""),))
        )
        names.append(f"v={variant.name}")
    query = f"page=compare&{'&'.join(names)}&compare:views=small.losses&cursor:events=false&cursor:stages=off"
    dashboard = Dashboard(server_context(empty.value, at_once), query)
    cursor = dashboard.opened("compare").cursor
    assert [course["pins"] for course in cursor.courses] == [[{"step": 0, "note": ""}], [{"step": 10, "note": ""}]]
    page, first = dashboard.opened("compare"), names[0].removeprefix("v=")
    change_annotation(empty.value.store, first, AnnotationChange(pins=(PinnedStep(step=20, note="theirs"),)))
    page.hear_of(Heard(noted=frozenset({first, "toy.sum/another"})))
    assert [[pin["step"] for pin in course["pins"]] for course in cursor.courses] == [[0, 20], [10]]
    assert (cursor.event_marks, cursor.shows_stages) == (False, False)
    assert cards(dashboard.opened("compare"))[0].elsewhere == ["clock", "events"]
    cursor.event_marks = True
    assert "cursor:events" not in dashboard.shell.query
    cursor.clock = "log"
    assert "cursor:clock=log" in dashboard.shell.query
    (figure,) = figures(dashboard.opened("compare"))
    assert figure["layout"]["xaxis"]["type"] == "log"


def test_how_a_card_stands_is_kept_and_its_zoom_as_long_as_its_axes_are_the_same(open_page):
    dashboard, page = open_page(f"{BOTH}&compare:views=small.losses")
    (card,) = cards(page)
    card.on_message({"kind": "look", "look": "full-width", "value": "1"})
    card.on_message({"kind": "look", "look": "zoomed-to", "value": "xaxis=0,5"})
    assert card.looks == {"full-width": "1", "zoomed-to": "xaxis=0,5"}
    assert "small.losses:full-width=1" in write_query(dashboard.selection.place)
    page.bar.on_message({"kind": "turn", "control": "mode", "value": "grid"})
    assert [card.looks for card in cards(page)] == [{"full-width": "1"}] * 2
    assert not any(card.picture["filmed"] for card in cards(page))


def test_no_more_than_a_screenful_is_drawn_before_the_browser_says_what_is_seen(open_page):
    views = ("small.losses", "small.norms", "small.compared", "small.neuron")
    _, page = open_page(f"{BOTH}&compare:views={','.join(views)}")
    unseen = [card for card in cards(page) if not card.picture]
    assert [card.view for card in unseen] == ["small.neuron"]
    unseen[0].in_sight = True
    assert [card.view for card in cards(page) if card.picture].count("small.neuron") == 2


def test_a_page_that_cannot_read_its_variants_says_so(open_page, monkeypatch):
    def gone(*_):
        raise OSError("the disk is gone")

    monkeypatch.setattr(compare_page, "compared", gone)
    _, page = open_page(BOTH)
    assert [note["text"] for note in page.bar.notes] == ["The variants cannot be read: OSError: the disk is gone"]
    assert cards(page) == []
    monkeypatch.undo()
    page.bar.on_message({"kind": "again"})
    assert len(page.bar.chips) == 2
    assert cards(page)


def test_a_variant_whose_metrics_cannot_be_read_is_compared_without_them(trained, monkeypatch):
    def unreadable(*_):
        raise MiscopeError("The file is cut short.")

    monkeypatch.setattr(type(trained.store), "steps", lambda *_: [])
    monkeypatch.setattr(type(trained.store), "metrics", unreadable)
    assert [member.last for member in compared(trained, [FIRST]).members] == [0.0]


def test_pictures_made_before_they_were_forgotten_are_not_taken_for_the_latest(trained, when_told):
    dashboard = Dashboard(server_context(trained, when_told), f"{BOTH}&compare:views=small.losses")
    when_told.go()
    (group,) = dashboard.opened("compare")._groups.values()
    asked = group._asked
    group.forget()
    group.ask(asked)
    making = [*when_told.waiting]
    when_told.waiting.clear()
    group.forget()
    group.cards[0].in_sight = False
    group.ask(asked)
    for each in making:
        each()
    assert group.cards[0].pending
    group.cards[0].in_sight = True
    when_told.go()
    assert not group.cards[0].pending


def test_a_picture_is_made_ready_for_the_browser_before_it_comes_back_to_the_page(trained, at_once, monkeypatch):
    happened = []

    def ready(made):
        happened.append("ready")
        return sent(made)

    def show(group, *answer):
        happened.append("back")
        return shown(group, *answer)

    shown = ComparedGroup._show
    monkeypatch.setattr("miscope_panel.page.compared_group.sent", ready)
    monkeypatch.setattr(ComparedGroup, "_show", show)
    Dashboard(server_context(trained, at_once), f"{BOTH}&compare:views=small.losses")
    assert happened == ["ready", "back"]


def test_what_another_version_of_an_analyzer_computed_is_said_to_be_left_out(open_page, monkeypatch):
    words = "seed=1, parameters.norms: it was computed by version 1; installed is 2."
    monkeypatch.setattr(compared_views, "same_inputs", lambda *_: SameInputs(same=True, outdated=(words,)))
    _, page = open_page(f"{BOTH}&compare:views=small.losses")
    assert [(note["text"], note["bad"]) for note in page.bar.notes] == [(f"Left out: {words}", True)]
