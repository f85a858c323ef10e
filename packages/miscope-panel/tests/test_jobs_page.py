"""The page of jobs: it listens while it is looked at, shows what happens, and asks what others ask."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import count
from queue import Empty, Queue

import pytest

from miscope.bound import open_bound
from miscope.runs.queued_run import Reached
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope.train_request import TrainRequest
from miscope_panel.page import queue_part
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.errands import Errands
from miscope_panel.page.job_actions import READ_ONLY
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard

LONG = 60
"""Seconds that guard against waiting for ever."""
PROGRESS = re.compile(r"\d\d of 3,000 steps")


class Looking:
    """A visitor of the page, over a workspace where nobody works."""

    def __init__(self, server, query):
        self.server = server
        self.dashboard = Dashboard(server, query)
        self.board = self.dashboard.opened("jobs").queue.board
        self.shown, self.changed = Queue(), Queue()
        self.board.param.watch(lambda event: self.shown.put(event.new), "shown")
        self.board.param.watch(lambda event: self.changed.put(event.new), "changed")

    def until(self, found):
        """What is shown, once that is so of it."""
        while not found(self.board.shown):
            self.shown.get(timeout=LONG)
        return self.board.shown

    def told_apart(self, go_on):
        """What is told of cards alone, once it went on as often as that takes.

        What is heard together with the beginning of a run is shown with the page.
        """
        for time in count():
            go_on(time)
            with suppress(Empty):
                return self.changed.get(timeout=1)

    def says(self, **message):
        self.board._handle_msg(message)

    @property
    def said(self):
        return {name: value for name, value in self.board.said.items() if name != "serial"}


def ids(shown, section):
    return next((each["ids"] for each in shown["sections"] if each["name"] == section), None)


@pytest.fixture
def summoned():
    return []


@pytest.fixture
def looking(tmp_path, at_once, summoned):
    made = []

    def at(query="page=jobs", **more):
        workspace = open_bound(tmp_path / "ws", tables()).value
        server = server_context(workspace, at_once, summon=lambda: summoned.append(1), **more)
        made.append(Looking(server, query))
        return made[-1]

    yield at
    for each in made:
        each.dashboard.selection.move(page="installed")
        assert each.server.watch.listeners == 0


def train(visitor, seed=0, **fields):
    request = TrainRequest(family="toy.sum", params={"seed": seed}, **fields)
    return submit(visitor.server.workspace, visitor.server.queue, request).id


def test_where_nothing_was_asked_for_the_page_says_how_to(looking):
    visitor = looking()
    notice = visitor.until(lambda shown: shown["notice"])["notice"]
    assert notice[0] == "No jobs yet."
    assert "miscope train FAMILY --queue --workspace " in notice[1]


def test_only_cards_in_sight_are_told_how_far_their_runs_are(looking):
    visitor = looking()
    queue, runs = visitor.server.queue, [train(visitor, seed) for seed in (0, 1)]
    for number in runs:
        queue.claim(number, this_process())
    visitor.until(lambda shown: ids(shown, "running") is not None and len(ids(shown, "running")) == 2)
    visitor.says(kind="seen", ids=[runs[1]])

    def go_on(time):
        for number in runs:
            queue.reach(number, Reached(done=12 + time, total=3000))

    first = visitor.told_apart(go_on)
    assert [*first] == [str(runs[1])]
    # Whoever comes into sight is told what was missed.
    visitor.says(kind="seen", ids=runs)
    while str(runs[0]) not in (missed := visitor.changed.get(timeout=LONG)):
        assert [*missed] == [str(runs[1])]
    assert [*missed] == [str(runs[0])]
    assert PROGRESS.fullmatch(missed[str(runs[0])]["progress"])


def test_a_run_goes_from_section_to_section_as_it_happens(looking):
    visitor = looking()
    queue, number = visitor.server.queue, train(visitor)
    card = visitor.until(lambda shown: ids(shown, "queued") == ["1"])["cards"]["1"]
    assert card["facts"] == ("1. in the queue",)
    queue.claim(number, this_process())
    visitor.until(lambda shown: ids(shown, "running") == ["1"])
    told = visitor.told_apart(
        lambda time: queue.reach(number, Reached(done=12 + time, total=3000, metrics={"train_loss": 0.5}))
    )
    assert PROGRESS.fullmatch(told["1"]["progress"])
    assert told["1"]["losses"] == {"train_loss": 0.5}
    queue.move(number, RunState.FAILED, "ValueError: no\nmore")
    card = visitor.until(lambda shown: ids(shown, "failed") == ["1"])["cards"]["1"]
    assert (card["error"], card["more"]) == ("ValueError: no", "more")


def test_only_the_page_that_is_looked_at_listens(looking):
    visitor = looking()
    watch = visitor.server.watch
    visitor.until(lambda shown: shown["notice"])
    assert watch.listeners == 1
    visitor.dashboard.selection.move(page="installed")
    assert watch.listeners == 0
    train(visitor)
    visitor.dashboard.selection.move(page="jobs")
    visitor.until(lambda shown: ids(shown, "queued") == ["1"])
    visitor.board.in_sight = False
    assert watch.listeners == 0
    visitor.board.in_sight = True
    assert watch.listeners == 1


def test_stop_resume_and_retry_are_those_of_the_queue(looking, summoned):
    visitor = looking()
    queue, number = visitor.server.queue, train(visitor)
    queue.claim(number, this_process())
    visitor.says(kind="ask", action="stop", ids=[number])
    assert (visitor.said["text"], queue.run(number).state) == ("Run 1 is asked to stop.", RunState.STOPPING)
    visitor.until(lambda shown: shown["cards"].get("1", {}).get("state") == "stopping: saves a checkpoint")
    queue.move(number, RunState.STOPPED)
    visitor.says(kind="ask", action="resume", ids=[number])
    assert (visitor.said["text"], len(summoned)) == ("Run 1 is back in the queue.", 1)
    queue.claim(number, this_process())
    queue.move(number, RunState.FAILED, "It failed.")
    visitor.until(lambda shown: shown["bulk"].get("retry") == [number])
    visitor.says(kind="ask", action="retry", ids=[number])
    again = queue.run(2)
    assert (again.state, again.place.retry_of, len(summoned)) == (RunState.PENDING, number, 2)
    visitor.until(lambda shown: shown["bulk"]["retry"] == [])


def test_several_are_paused_retried_and_deleted_together(looking, summoned):
    visitor = looking()
    queue, first, other = visitor.server.queue, train(visitor), train(visitor, seed=1)
    visitor.says(kind="ask", action="pause", ids=[first, other])
    assert visitor.said == {"text": "2 runs are asked to pause.", "is_problem": False, "undo": []}
    card = visitor.until(lambda shown: ids(shown, "stopped") == ["2", "1"] or ids(shown, "stopped") == ["1", "2"])
    assert {each["state"] for each in card["cards"].values()} == {"stopped"}
    visitor.says(kind="ask", action="resume", ids=[first, other])
    for number in (first, other):
        queue.claim(number, this_process())
        queue.move(number, RunState.FAILED, "It failed.")
    shown = visitor.until(lambda shown: ids(shown, "failed") is not None and len(ids(shown, "failed")) == 2)
    assert all("retry" in [each["name"] for each in card["actions"]] for card in shown["cards"].values())
    visitor.says(kind="ask", action="retry", ids=[first, other])
    assert visitor.said["text"] == "2 runs are asked for once more."
    assert [queue.run(number).place.retry_of for number in (3, 4)] == [first, other]
    visitor.says(kind="ask", action="delete", ids=[first, other])
    assert visitor.said == {"text": "2 runs are taken out of the list.", "is_problem": False, "undo": [first, other]}
    visitor.until(lambda shown: not ids(shown, "failed"))


def test_trainings_and_templates_are_one_press_away(looking):
    visitor = looking()
    visitor.says(kind="go", to="launch")
    assert visitor.dashboard.selection.place.page == "launch"
    visitor.dashboard.selection.move(page="jobs")
    visitor.says(kind="go", to="templates")
    place = visitor.dashboard.selection.place
    assert (place.page, place.controls_of("launch")) == ("launch", {"templates.panel": "open"})
    launch = visitor.dashboard.opened("launch")
    assert launch.view.templates_open
    assert launch.view.texts == {}


def test_what_is_refused_is_said_and_keeps_none_of_the_others_back(looking):
    visitor = looking()
    queue = visitor.server.queue
    first, second = train(visitor), train(visitor, seed=1)
    queue.claim(first, this_process())
    visitor.says(kind="ask", action="cancel", ids=[first, second])
    assert visitor.said == {
        "text": "Run 2 is cancelled.\nRun 1 is running, which does not allow 'cancel'.\n"
        "It is for runs that are interrupted or pending or stopped.\n"
        "What may be asked of this one: stop, pause, save.",
        "is_problem": True,
        "undo": [],
    }
    visitor.says(kind="ask", action="burn", ids=[first])
    assert visitor.said["text"] == "Nobody knows what it is to burn a run."


def test_what_was_deleted_can_be_put_back(looking):
    visitor = looking()
    queue, number = visitor.server.queue, train(visitor)
    visitor.until(lambda shown: "1" in shown["cards"])
    visitor.says(kind="detail", id=number, about="log", open=True)
    queue.move(number, RunState.CANCELLED)
    visitor.says(kind="ask", action="delete", ids=[number])
    assert visitor.said == {"text": "Run 1 is taken out of the list.", "is_problem": False, "undo": [number]}
    visitor.until(lambda shown: shown["cards"] == {})
    visitor.says(kind="restore", ids=[number])
    visitor.until(lambda shown: ids(shown, "stopped") == ["1"])


def test_a_waiting_run_is_put_before_another(looking):
    visitor = looking()
    train(visitor)
    second = train(visitor, seed=1)
    visitor.says(kind="move", id=second, by=-1)
    assert [run.id for run in visitor.server.queue.ready()] == [2, 1]
    visitor.until(lambda shown: ids(shown, "queued") == ["2", "1"])


def test_a_server_that_only_shows_asks_nothing_and_says_why(looking):
    visitor = looking(read_only=True)
    number = train(visitor)
    assert visitor.board.locked == READ_ONLY
    for message in (
        {"kind": "ask", "action": "cancel", "ids": [number]},
        {"kind": "move", "id": number, "by": 1},
        {"kind": "restore", "ids": [number]},
    ):
        visitor.says(**message)
        assert (visitor.said["text"], visitor.said["is_problem"]) == (READ_ONLY, True)
    assert visitor.server.queue.run(number).state is RunState.PENDING


def test_one_section_alone_is_in_the_address(looking):
    visitor = looking("page=jobs&jobs:show=done")
    train(visitor)
    visitor.until(lambda shown: [each["count"] for each in shown["sections"]] == [0, 1, 0, 0, 0])
    assert visitor.board.shown["cards"] == {}
    assert visitor.board.shown["notice"] == ["No runs are done."]
    visitor.says(kind="show", section="queued")
    assert visitor.board.shown["notice"] == []
    assert "jobs:show=queued" in visitor.dashboard.shell.query
    assert list(visitor.board.shown["cards"]) == ["1"]
    visitor.says(kind="show", section="")
    assert "jobs:show" not in visitor.dashboard.shell.query


def test_hyperparameters_are_all_of_them_and_can_be_copied(looking):
    visitor = looking()
    number = train(visitor, training={"learning_rate": 0.5}, threads=1)
    visitor.until(lambda shown: "1" in shown["cards"])
    visitor.says(kind="detail", id=number, about="configuration", open=True)
    detail = visitor.board.detail
    values = {row[0]: row[1:] for part in detail["parts"] for row in part["rows"]}
    assert (values["seed"], values["width"], values["learning_rate"]) == (["0", True], ["16", False], ["0.5", True])
    assert values["threads"] == ["1", True]
    assert detail["parts"][0]["title"] == "Parameters of toy.sum"
    root = visitor.server.workspace.root
    assert detail["texts"]["command"] == (
        f"miscope train toy.sum seed=0 --set learning_rate=0.5 --threads 1 --workspace {root}"
    )
    assert set(detail["texts"]) == {"YAML", "command", "Python"}


def test_the_log_and_its_traceback_are_read_when_somebody_unfolds_them(looking):
    visitor = looking()
    number = train(visitor)
    visitor.until(lambda shown: "1" in shown["cards"])
    log = RunFolder(visitor.server.queue.layout, number).log
    trace = ["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: NaN"]
    log.write_text("\n".join(["step 1 of 30", *trace, "run 1: failed"]))
    visitor.says(kind="detail", id=number, about="trace", open=True)
    detail = visitor.board.detail
    assert (detail["id"], detail["about"], detail["lines"]) == (number, "trace", trace)
    visitor.says(kind="detail", id=number, about="log", open=True)
    assert visitor.board.detail["lines"][0] == "step 1 of 30"


def test_a_card_leads_to_its_variant_in_the_workbench(looking):
    visitor = looking()
    number = train(visitor)
    variant = visitor.until(lambda shown: "1" in shown["cards"])["cards"]["1"]["variant"]
    visitor.says(kind="open", id=number)
    place = visitor.dashboard.selection.place
    assert (place.page, place.variant) == ("views", variant)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("detail", {"kind": "detail", "about": "configuration", "open": True}),
        ("curve", {"kind": "curve"}),
        ("said", {"kind": "move", "by": -1}),
    ],
)
def test_the_same_answer_twice_reaches_the_browser_twice(looking, told, message):
    visitor, answers = looking(), []
    number = train(visitor)
    visitor.until(lambda shown: "1" in shown["cards"])
    visitor.board.param.watch(lambda event: answers.append(event.new), told)
    visitor.says(**message, id=number)
    visitor.says(**message, id=number)
    first, second = ({name: value for name, value in each.items() if name != "serial"} for each in answers)
    assert first == second


def test_what_is_heard_while_the_list_is_read_stands_over_it(looking, when_told):
    visitor = looking("page=runs")
    queue, part = visitor.server.queue, visitor.dashboard.opened("jobs").queue
    first, second = train(visitor), train(visitor, seed=1)
    part._leave = lambda: None
    part._errands = Errands(when_told)
    part._take(Heard(anew=True))
    before = part._read()
    queue.claim(first, this_process())
    ended = queue.move(first, RunState.FAILED, "It failed.")
    queue.move(second, RunState.CANCELLED)
    queue.hide(second, deleted=True)
    part._take(Heard(runs={first: ended, second: queue.run(second)}, moved=True))
    part._show_read(1, before)
    assert (ids(part.board.shown, "failed"), list(part.board.shown["cards"])) == (["1"], ["1"])
    part._take(Heard(anew=True))
    part._show_read(1, before)
    assert ids(part.board.shown, "failed") == ["1"]


def test_what_a_familys_code_raises_is_said_where_it_was_asked_for(looking, monkeypatch):
    def broken(*given):
        raise ZeroDivisionError("division by zero")

    visitor = looking()
    number = train(visitor)
    visitor.until(lambda shown: "1" in shown["cards"])
    monkeypatch.setattr(queue_part, "configuration", broken)
    visitor.says(kind="detail", id=number, about="configuration", open=True)
    assert visitor.board.detail["parts"] == [{"title": "ZeroDivisionError: division by zero", "rows": []}]
    part = visitor.dashboard.opened("jobs").queue
    monkeypatch.setattr(visitor.server.queue, "runs", broken)
    part._show_read(part._known.asked, part._read())
    assert part.board.shown["notice"] == ["ZeroDivisionError: division by zero"]
