"""The catalogue: everything installed, found by words, and where it stands for the variant."""

import pytest

from miscope.figures.lenses import known_lenses
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.catalogue_entries import Known, entries, findables, sections_about
from miscope_panel.shown.catalogue_states import command_for, standing_of

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"
LENS = (
    "name: own\ntitle: Own\nquestion: What stays?\nsections:\n  - {title: Losses, views: [small.losses, gone.view]}\n"
)


@pytest.fixture
def place(trained):
    folder = trained.root / "lenses"
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text(LENS)
    yield trained
    (folder / "own.yaml").unlink()


@pytest.fixture
def visit(place, at_once):
    return lambda query: Dashboard(server_context(place, at_once), query)


def page_of(opened):
    return opened.opened("catalogue").board


def known_of(workspace):
    return Known(plugins=workspace.plugins, lenses=known_lenses(workspace).lenses)


def test_it_lists_lenses_views_instruments_families_and_events(place):
    listed = {entry.key: entry for entry in entries(known_of(place))}
    assert (listed["lens:own"].line, listed["lens:own"].package) == ("What stays?", "")
    assert (listed["view:small.losses"].title, listed["view:small.losses"].grain) == ("Losses", "trajectory")
    assert listed["analyzer:parameters.norms"].line.endswith("?")
    assert listed["family:toy.sum"].title
    assert listed["event:generalised"].line.startswith("first step with test accuracy >= 0.99")
    assert "fallen by 0.5 of its whole fall" in listed["event:half"].line
    assert [entry.kind for entry in listed.values()] == sorted(
        (entry.kind for entry in listed.values()), key=["lens", "view", "analyzer", "family", "event"].index
    )


def test_all_that_is_listed_is_found_by_its_name_and_has_something_said_of_it(place):
    known = known_of(place)
    assert {(each.kind, each.name) for each in findables(known)} == {(e.kind, e.name) for e in entries(known)}
    for entry in entries(known):
        assert sections_about(known, entry.kind, entry.name), entry.key
    assert sections_about(known, "view", "no.such") == ()


def test_an_instrument_has_its_question_formula_source_outputs_and_options(place):
    sections = {each.title: each for each in sections_about(known_of(place), "analyzer", "events.grokking")}
    assert list(sections) == ["What it computes", "Outputs", "Options"]
    labels = [line.label for line in sections["What it computes"].lines]
    assert labels[:5] == ["Question", "In short", "Formula", "Source", "Also called"]
    assert all("Default: " in line.text for line in sections["Options"].lines)


def test_a_lens_names_its_views_and_those_that_are_not_installed(place):
    (section,) = sections_about(known_of(place), "lens", "own")
    assert [(line.label, line.text) for line in section.lines] == [
        ("small.losses", "Losses"),
        ("gone.view", "is not installed"),
    ]


def test_each_says_where_it_stands_for_the_variant_and_what_computes_it(trained):
    found = standing_of(trained, FIRST)
    of = {each.key: (each.state, each.words) for each in found.standings}
    assert of["view:small.losses"] == ("there", "can be shown")
    assert of["view:small.attention"] == ("inapplicable", "does not apply")
    assert of["analyzer:parameters.norms"] == ("there", "computed")
    assert of["analyzer:behaviour.metrics"] == ("missing", "not computed")
    assert of["family:toy.sum"] == ("there", "of this variant")
    views, analyzers = len(trained.plugins.views), len(trained.plugins.analyzers)
    assert found.said.endswith(f" of {analyzers} analyzers were computed.")
    assert f" of {views} views can be shown of {FIRST}, and " in found.said
    command = command_for(trained, "analyzer", "behaviour.metrics", [FIRST])
    assert command.startswith(f"miscope analyze {FIRST} --only behaviour.metrics")
    assert command_for(trained, "view", "small.losses", [FIRST]) == ""
    assert standing_of(trained, "toy.sum/gone").said.startswith("There is no variant named 'toy.sum/gone'")


def test_the_address_holds_words_kind_and_entry(visit):
    opened = visit(f"v={FIRST}&page=catalogue&catalogue:find=norm&catalogue:kind=view&catalogue:show=view:small.norms")
    board = page_of(opened)
    assert board.asked == {"find": "norm", "kind": "view", "show": "view:small.norms"}
    assert {"key": "view:small.norms", "by": ""} in board.found["hits"]
    assert (board.shown["key"], board.shown["opens"][0]["key"]) == ("view:small.norms", "view:small.norms")
    assert board.standing["of"]["view:small.losses"]["state"] == "there"
    board.on_message({"kind": "ask", "control": "find", "value": ""})
    assert "catalogue:find" not in opened.shell.query
    assert board.found == {"words": "", "said": "", "hits": []}


def test_the_lens_of_one_neuron_is_listed_and_opened_too(visit, monkeypatch):
    monkeypatch.setattr("miscope_panel.shown.one_of._FEWEST", 1)
    opened = visit(f"v={FIRST}&page=catalogue&catalogue:find=what is there to see of one")
    board = page_of(opened)
    (listed,) = (entry for entry in board.entries if entry["key"] == "lens:one-neuron")
    assert listed["title"] == "One neuron"
    assert "lens:one-neuron" in [hit["key"] for hit in board.found["hits"]]
    board.on_message({"kind": "open", "key": "lens:one-neuron"})
    assert (opened.selection.place.lens, opened.selection.place.views) == ("one-neuron", ("small.neuron",))


def test_a_view_and_a_lens_are_opened_on_the_workbench(visit):
    opened = visit(f"v={FIRST}&page=catalogue")
    board = page_of(opened)
    board.on_message({"kind": "open", "key": "view:small.norms"})
    assert (opened.selection.place.page, opened.selection.place.views) == ("views", ("small.norms",))
    opened.selection.move(page="catalogue")
    board.on_message({"kind": "open", "key": "lens:own"})
    assert (opened.selection.place.lens, opened.selection.place.views) == ("own", ("small.losses",))
    opened.selection.move(page="catalogue")
    board.on_message({"kind": "open", "key": "family:toy.sum"})
    assert opened.selection.place.page == "launch"
    assert opened.selection.place.controls_of("launch") == {"study.family": "toy.sum"}
    opened.selection.move(page="catalogue")
    board.on_message({"kind": "open", "key": "view:no.such"})
    assert opened.selection.place.page == "catalogue"


def test_without_a_variant_it_says_how_to_have_one(visit):
    board = page_of(visit("page=catalogue"))
    assert board.standing == {
        "said": "Open a variant to see what of this applies to it, and what was computed.",
        "of": {},
    }
    assert board.entries


def test_what_was_computed_meanwhile_is_looked_for_when_one_comes_back(visit, place):
    opened = visit(f"v={FIRST}&page=catalogue")
    opened.selection.move(page="runs")
    (place.root / "lenses" / "own.yaml").write_text(LENS.replace("title: Own", "title: Other"))
    opened.selection.move(page="catalogue")
    assert page_of(opened).entries[0]["title"] == "Other"


def test_nothing_is_said_of_what_is_looked_for_until_it_is_known_what_there_is(place, when_told):
    query = f"v={FIRST}&page=catalogue&catalogue:find=stays&catalogue:show=lens:own"
    opened = Dashboard(server_context(place, when_told), query)
    board, said = page_of(opened), []
    board.param.watch(lambda event: said.append(event.new), ["found", "shown"])
    when_told.go()
    assert [each["said"] for each in said if "said" in each] == [""]
    assert [bool(each["sections"]) for each in said if "sections" in each] == [True]


def test_an_answer_about_other_variants_does_not_take_the_place_of_the_latest(place, when_told):
    entry = "analyzer:behaviour.metrics"
    opened = Dashboard(server_context(place, when_told), f"v={FIRST}&page=catalogue&catalogue:show={entry}")
    when_told.go()
    for variant in ("toy.sum/gone", FIRST):
        opened.selection.move(variant=variant)
    when_told.waiting.reverse()
    when_told.go()
    assert page_of(opened).shown["command"].startswith(f"miscope analyze {FIRST} ")


@pytest.mark.parametrize(("kind", "name"), [("view", "small.losses"), ("analyzer", "behaviour.metrics")])
def test_a_plugin_that_fails_leaves_the_others_their_answers(trained, monkeypatch, kind, name):
    def fail(*given):
        raise ZeroDivisionError("of a plugin")

    where = "picture" if kind == "view" else "catalogue_states"
    monkeypatch.setattr(f"miscope_panel.shown.{where}.{kind}_availability", fail)
    of = {each.key: each for each in standing_of(trained, FIRST).standings}
    failed = of[f"{kind}:{name}"]
    assert (failed.state, failed.words) == ("error", "cannot be read")
    assert failed.reason == "ZeroDivisionError: of a plugin"
    assert of["family:toy.sum"].state == "there"
    assert command_for(trained, kind, name, [FIRST]) == ""
