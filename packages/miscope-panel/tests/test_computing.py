"""Cards that lack what was never computed: what they offer, what the queue makes of it, and that they draw it then."""

from __future__ import annotations

import json
import types
from queue import Empty, Queue

import plotly.graph_objects as go
import pytest

from miscope import Analyzer, Grain, Needs, View, hookimpl
from miscope.analyze_request import AnalyzeRequest
from miscope.analyzer import Options
from miscope.bound import open_bound
from miscope.runs.queued_run import Reached
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.job_actions import READ_ONLY
from miscope_panel.page.pages import server_context
from miscope_panel.shown.lack import lack_of
from miscope_panel.shown.picture import Request

LONG = 60
NAME, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


def drawn(shown):
    """Draws what was computed."""
    return go.Figure(go.Scatter(y=list(range(len(shown.artifacts) + len(shown.history)))))


def together(shown):
    """Compares."""
    return go.Figure(go.Scatter(y=list(range(len(shown.members)))))


def offered():
    views = [
        View(name="t.norms", title="N", grain=Grain.CHECKPOINT, draw=drawn, needs=Needs(reads=("parameters.norms",))),
        View(name="t.time", title="T", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(history=("parameters.norms",))),
        View(name="t.all", title="A", grain=Grain.COHORT, draw=together, needs=Needs(reads=("cohort.events",))),
        View(
            name="t.both",
            title="B",
            grain=Grain.COHORT,
            draw=together,
            needs=Needs(reads=("parameters.norms", "cohort.events")),
        ),
        View(name="t.chain", title="C", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(reads=("t.second",))),
        View(name="t.losses", title="L", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(metrics=("*_loss",))),
        View(name="t.fails", title="F", grain=Grain.CHECKPOINT, draw=drawn, needs=Needs(reads=("t.divides",))),
    ]
    plug = types.ModuleType("t")
    plug.miscope_views = hookimpl(lambda: views)
    plug.miscope_analyzers = hookimpl(
        lambda: [
            Analyzer(name="t.divides", version=1, grain=Grain.CHECKPOINT, compute=divides, needs=Needs(), options=By),
            Analyzer(
                name="t.second",
                version=1,
                grain=Grain.TRAJECTORY,
                compute=lambda history: {"n": len(history.steps)},
                needs=Needs(reads=("parameters.norms",)),
            ),
        ]
    )
    return {"t": plug}


class By(Options):
    """What it divides by."""

    by: int = 0


def divides(snapshot):
    """Fails wherever it looks."""
    raise ZeroDivisionError("division by zero")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two variants with checkpoints at 0, 10 and 20, of which nothing was computed."""
    root = tmp_path_factory.mktemp("computing") / "ws"
    workspace = open_bound(root, tables(**offered()))
    for seed in (1, 0):
        list(workspace.variant("toy.sum", seed=seed).train(steps=20, threads=1))
    return root


@pytest.fixture
def workspace(made, tmp_path):
    import shutil

    shutil.copytree(made, tmp_path / "ws")
    return open_bound(tmp_path / "ws", tables(**offered()))


def lack(workspace, view, *compared, step=20, **controls):
    asked = Request(view=view, variant=NAME, step=step, compared=compared, controls=controls)
    return lack_of(workspace.value, asked)


def test_what_is_missing_is_asked_for_with_what_it_is_computed_from(workspace):
    found = lack(workspace, "t.chain")
    assert found.request == AnalyzeRequest(variants=(NAME,), analyzers=("t.second",))
    assert found.words == "3 checkpoints and the whole of training"
    assert found.of_family.variants == (NAME, OTHER)


def test_what_lies_there_is_not_counted(workspace):
    workspace.find(NAME).analyze("parameters.norms", steps=[0, 10])
    assert lack(workspace, "t.norms").words.startswith("1 checkpoint, about ")
    workspace.find(NAME).analyze("parameters.norms")
    assert lack(workspace, "t.norms") is None


AS_A_JOB = ": it runs as a job, and this page may be left"


def test_what_takes_longer_than_anybody_waits_is_said_to_run_as_a_job(workspace, monkeypatch):
    for seconds, told in ((9.0, "3 checkpoints, about 9 s"), (75.0, f"3 checkpoints, about 1 min 15 s{AS_A_JOB}")):
        monkeypatch.setattr("miscope_panel.shown.lack.seconds_left", lambda *_, seconds=seconds: seconds)
        assert lack(workspace, "t.norms").words == told


def test_a_view_that_compares_asks_for_all_variants_that_it_shows(workspace):
    found = lack(workspace, "t.all", OTHER)
    assert found.request.variants == (NAME, OTHER)
    assert found.words.endswith("2 variants together")
    assert found.of_family is None
    alone = lack(workspace, "t.both")
    assert (alone.request.variants, alone.of_family) == ((NAME,), None)


def test_where_nothing_can_be_computed_nothing_is_offered(workspace):
    assert lack(workspace, "t.losses") is None
    assert lack(workspace, "no.such.view") is None


def test_options_that_the_card_is_asked_for_are_part_of_it(workspace):
    found = lack(workspace, "t.fails", **{"t.divides.by": "3"})
    assert found.request.options == {"t.divides": {"by": 3}}
    assert lack(workspace, "t.fails", **{"t.divides.nothing": "1"}) is None


def test_what_can_be_computed_is_offered_though_the_index_cannot_say_how_long_it_takes(workspace, monkeypatch):
    from miscope.errors import BadFile

    def damaged(self, *query, **more):
        raise BadFile("index.duckdb", "It is damaged.", "Delete it.")

    monkeypatch.setattr(type(workspace.value.index), "ask", damaged)
    assert lack(workspace, "t.norms").words == "3 checkpoints"


class Looking:
    """A visitor of the cards, over a workspace where nobody works."""

    def __init__(self, server, query):
        self.server, self.dashboard = server, Dashboard(server, query)
        self.told = Queue()
        self.look_at(self.dashboard.workbench.board)

    def look_at(self, board):
        """At the cards of this board, instead of those of the workbench."""
        self.cards = [each for each in board if hasattr(each, "picture")]
        for card in self.cards:
            card.param.watch(lambda event: self.told.put(event.new), ["computing", "picture", "computing_said"])

    def until(self, found):
        """Once that is so."""
        while not found():
            try:
                self.told.get(timeout=LONG)
            except Empty:  # pragma: no cover
                raise AssertionError([card.computing for card in self.cards]) from None

    def until_run(self, section, card=0):
        self.until(lambda: (self.cards[card].computing.get("run") or {}).get("section") == section)
        return self.cards[card].computing["run"]

    def press(self, card=0, **message):
        self.cards[card]._handle_msg({"kind": "compute", **message})


@pytest.fixture
def looking(workspace, at_once):
    made, summoned = [], []

    def at(query, **more):
        server = server_context(workspace.value, at_once, summon=lambda: summoned.append(1), **more)
        visitor = Looking(server, query)
        visitor.summoned = summoned
        made.append(visitor)
        return visitor

    yield at
    for each in made:
        each.dashboard.selection.move(page="installed")
        assert each.server.watch.listeners == 0


def works(visitor, number, workspace, card=0):
    """A process takes the run, does what it asks for and ends it."""
    queue = visitor.server.queue
    assert queue.claim(number, this_process()) is not None
    visitor.until_run("running", card)
    request = queue.run(number).request
    for name in request.variants:
        workspace.find(name).analyze(*request.analyzers)
    queue.move(number, RunState.COMPLETED)


def test_a_pressed_button_queues_what_is_missing_and_the_card_draws_itself_when_it_is_done(looking, workspace):
    visitor = looking(f"v={NAME}&views=t.norms")
    (card,) = visitor.cards
    assert card.picture["state"] == "missing"
    visitor.until(lambda: card.computing.get("words") == "3 checkpoints")
    assert (card.computing["run"], card.computing["locked"]) == (None, "")
    assert card.computing["family"] == "For all 2 variants of the family"
    visitor.press(about="compute", of="these")
    run = visitor.until_run("queued")
    assert run["state"] == "Run 1: waits for its turn"
    assert [action["name"] for action in run["actions"]] == ["cancel"]
    assert visitor.summoned == [1]
    assert visitor.server.queue.run(1).request == AnalyzeRequest(variants=(NAME,), analyzers=("parameters.norms",))
    works(visitor, 1, workspace)
    visitor.until(lambda: card.picture["state"] == "figure")
    visitor.until(lambda: card.computing == {})


def test_a_second_press_and_a_second_visitor_ask_for_nothing_more(looking):
    first, second = looking(f"v={NAME}&views=t.norms"), looking(f"v={NAME}&views=t.norms,t.time")
    for visitor in (first, second):
        visitor.until(lambda visitor=visitor: visitor.cards[0].computing.get("words"))
    first.press(about="compute", of="these")
    assert second.until_run("queued")["id"] == 1
    assert second.until_run("queued", card=1)["id"] == 1
    second.press(about="compute", of="these")
    assert len(first.server.queue.runs()) == 1


def test_who_comes_later_sees_how_far_it_is(looking, workspace):
    visitor = looking(f"v={NAME}&views=t.norms")
    queue = visitor.server.queue
    number = submit(workspace.value, queue, AnalyzeRequest(variants=(OTHER, NAME))).id
    queue.claim(number, this_process())
    queue.reach(number, Reached(done=1, total=4, eta=9.0))
    again = looking(f"v={NAME}&views=t.norms")
    run = again.until_run("running")
    again.until(lambda: again.cards[0].computing["run"]["share"] == 0.25)
    assert again.cards[0].computing["run"]["progress"] == "1 of 4 jobs · 9 s left"
    assert run["actions"][0]["name"] == "stop"


def test_a_failed_run_says_why_and_is_asked_for_once_more(looking):
    visitor = looking(f"v={NAME}&views=t.fails")
    visitor.until(lambda: visitor.cards[0].computing.get("words"))
    visitor.press(about="compute", of="these")
    visitor.until_run("queued")
    queue = visitor.server.queue
    why = "1 instrument failed; the first:\nt.divides of it: ZeroDivisionError: division by zero"
    queue.move(1, RunState.FAILED, why)
    run = visitor.until_run("failed")
    assert run["error"] == why.replace("\n", " ")
    assert [action["label"] for action in run["actions"]] == ["Retry"]
    folder = RunFolder(queue.layout, 1)
    folder.path.mkdir(parents=True, exist_ok=True)
    trace = "Traceback (most recent call last):\n  File x\nZeroDivisionError: division by zero"
    folder.log.write_text(f"job 1\n{trace}\nend\n")
    visitor.press(about="trace", id=1)
    visitor.until(lambda: "trace" in visitor.cards[0].computing_said)
    assert visitor.cards[0].computing_said["trace"] == trace
    visitor.press(about="run", action="retry", id=1)
    visitor.until(lambda: visitor.cards[0].computing["run"]["id"] == 2)
    assert queue.run(2).place.retry_of == 1


def test_all_variants_of_the_family_are_a_second_choice(looking):
    visitor = looking(f"v={NAME}&views=t.norms")
    visitor.until(lambda: visitor.cards[0].computing.get("words"))
    visitor.press(about="compute", of="family")
    visitor.until_run("queued")
    assert visitor.server.queue.run(1).request.variants == (NAME, OTHER)


def test_a_picture_of_some_of_the_steps_offers_the_rest(looking, workspace):
    workspace.find(NAME).analyze("parameters.norms", steps=[0, 10])
    visitor = looking(f"v={NAME}&e=20&views=t.norms,t.time")
    for card in visitor.cards:
        assert card.picture["state"] == "figure"
        visitor.until(lambda card=card: card.computing.get("words", "").startswith("1 checkpoint, about"))
    visitor.dashboard.workbench.cursor.asked = 10
    assert visitor.cards[0].computing == {}
    assert visitor.cards[1].computing != {}


def test_a_server_that_only_shows_says_why_nothing_can_be_asked(looking):
    visitor = looking(f"v={NAME}&views=t.norms", read_only=True)
    visitor.until(lambda: visitor.cards[0].computing.get("words"))
    assert visitor.cards[0].computing["locked"] == READ_ONLY
    visitor.press(about="compute", of="these")
    assert visitor.cards[0].computing_said["text"] == READ_ONLY
    assert visitor.server.queue.runs() == []


def test_what_was_computed_while_the_first_picture_was_made_is_shown(looking, workspace, monkeypatch):
    from miscope_panel.page import computing

    def late(value, request):
        # No run that the page could have heard of.
        workspace.find(NAME).analyze("parameters.norms")
        return lack_of(value, request)

    monkeypatch.setattr(computing, "lack_of", late)
    visitor = looking(f"v={NAME}&views=t.norms,t.losses")
    visitor.until(lambda: visitor.cards[0].picture["state"] == "figure")
    assert visitor.cards[0].computing == {}


def test_what_a_card_lacks_is_looked_for_again_where_that_failed(looking, workspace, monkeypatch):
    from miscope_panel.page import computing

    def broken(value, request):
        raise OSError("no such disk")

    monkeypatch.setattr(computing, "lack_of", broken)
    visitor = looking(f"v={NAME}&views=t.norms")
    assert visitor.cards[0].computing == {}
    monkeypatch.undo()
    visitor.dashboard.workbench.cursor.asked = 10
    visitor.until(lambda: visitor.cards[0].computing.get("words"))


def test_a_press_that_fails_says_why(looking, monkeypatch):
    from miscope_panel.page import computing

    def broken(*arguments):
        raise OSError("no such disk")

    visitor = looking(f"v={NAME}&views=t.norms")
    visitor.until(lambda: visitor.cards[0].computing.get("words"))
    monkeypatch.setattr(computing, "submit_chains", broken)
    visitor.press(about="compute", of="these")
    said = visitor.cards[0].computing_said
    assert (said["text"], said["is_problem"]) == ("OSError: no such disk", True)


@pytest.fixture
def comparing(looking):
    """comparing(query): a visitor of the page of comparisons, and its cards."""

    def at(query):
        visitor = looking(f"page=compare&v={NAME}&v={OTHER}&{query}")
        visitor.look_at(visitor.dashboard.opened("compare").board)
        return visitor

    return at


def test_what_some_of_the_variants_lack_is_offered_for_these_in_one_card(comparing, workspace):
    workspace.find(NAME).analyze("parameters.norms")
    visitor = comparing("compare:views=t.norms,t.time")
    norms, _ = visitor.cards
    assert norms.picture["state"] == "figure"
    said = json.loads(norms.picture["figure"])["layout"]["title"]["subtitle"]["text"]
    assert said == "without seed=1: not computed"
    visitor.until(lambda: norms.computing.get("label") == "Compute for the 1 of 2 that lacks it")
    assert norms.computing["family"] == ""
    visitor.press(about="compute", of="these")
    visitor.until_run("queued")
    assert visitor.server.queue.run(1).request == AnalyzeRequest(variants=(OTHER,), analyzers=("parameters.norms",))
    works(visitor, 1, workspace)
    visitor.until(lambda: all(card.computing == {} for card in visitor.cards))
    assert "without" not in str(json.loads(norms.picture["figure"])["layout"]["title"])


def test_what_none_of_the_variants_has_is_one_card_for_all(comparing, workspace):
    visitor = comparing("compare:views=t.norms")
    (card,) = visitor.cards
    assert card.title == "N"
    assert card.picture["words"] == ["What this view shows was not computed for any of these variants."]
    visitor.until(lambda: card.computing.get("label") == "Compute for all 2 variants")
    visitor.press(about="compute", of="these")
    visitor.until_run("queued")
    works(visitor, 1, workspace)
    visitor.until(lambda: card.picture["state"] == "figure")


def test_beside_each_other_the_card_of_a_variant_that_lacks_it_offers_it(comparing, workspace):
    workspace.find(NAME).analyze("parameters.norms")
    visitor = comparing("compare:views=t.norms&compare:mode=grid")
    assert [(card.title, card.picture["state"]) for card in visitor.cards] == [
        ("seed=0", "figure"),
        ("seed=1", "missing"),
    ]
    visitor.until(lambda: visitor.cards[1].computing.get("label") == "Compute for the 1 of 2 that lacks it")
    visitor.press(card=1, about="compute", of="these")
    visitor.until_run("queued", card=1)
    works(visitor, 1, workspace, card=1)
    visitor.until(lambda: visitor.cards[1].picture["state"] == "figure")
    assert visitor.cards[0].computing == {}
