"""The page to launch runs, as one visitor uses it: the address holds the form, and what is typed moves it."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from miscope.bound import open_bound
from miscope.errors import BadValue
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"
TOY = "page=launch&launch:study.family=toy.sum"


class Visit:
    """A dashboard that shows the page, and who was called."""

    def __init__(self, root, pool, query="page=launch", *, read_only=False, estimates=None):
        self.workspace = open_bound(root, tables()).value
        self.queue, self.called, self.pool = RunQueue(self.workspace.root), [], pool
        server = server_context(
            self.workspace, pool, queue=self.queue, summon=lambda: self.called.append(1), read_only=read_only
        )
        self.board = Dashboard(replace(server, estimates=estimates or pool), query)
        self.page = self.board.opened("launch")
        self.seen = self.page.view
        self.go()

    def go(self):
        self.pool.go()

    def say(self, **message):
        self.seen._handle_msg(message)
        self.go()

    def type(self, field, text):
        self.say(kind="set", field=field, text=text)

    def shown(self):
        """What the browser has: changed by what it is sent, and by nothing else."""
        return self.seen.get_root().data

    @property
    def query(self):
        return {key: values[0] for key, values in parse_qs(self.board.shell.query).items()}


@pytest.fixture
def visit(tmp_path, when_told, monkeypatch):
    # What a training takes is found out by another process, which test_estimates_are_of_what_is_left starts.
    monkeypatch.setattr("miscope_panel.page.launch.estimates._MOST_RUNS", 0)

    def at(query="page=launch", **more):
        return Visit(tmp_path / "ws", when_told, query, **more)

    return at


def test_a_family_is_chosen_and_its_fields_are_shown(visit):
    seen = visit()
    assert [family["name"] for family in seen.seen.families] == ["toy.fourier", "toy.sum"]
    assert (seen.seen.fields, seen.seen.blocked) == ([], "Choose a family first.")
    seen.say(kind="family", name="toy.sum")
    assert {"values", "seed", "width", "steps"} <= {field["name"] for field in seen.seen.fields}
    assert (seen.seen.blocked, seen.seen.review["summary"]) == ("", "1 run: 1 new")
    assert seen.query["launch:study.family"] == "toy.sum"


def test_what_is_typed_stands_in_the_address_and_an_address_fills_the_form_in(visit):
    seen = visit(TOY)
    seen.type("seed", "0,1")
    assert seen.query["launch:seed"] == "0,1"
    assert seen.seen.review["summary"] == "2 runs: 2 new"
    again = visit(seen.board.shell.query)
    assert again.seen.texts == {"study.family": "toy.sum", "seed": "0,1"}
    again.type("seed", "")
    assert "launch:seed" not in again.query


def sent(seen, do):
    """What of the texts the browser is sent meanwhile, each in turn."""
    told = []
    seen.shown().on_change("texts", lambda name, before, after: told.append(dict(after)))
    do()
    return told


def test_a_form_that_comes_back_to_what_was_loaded_is_sent_again(visit):
    seen = visit(TOY + "&launch:seed=0")
    seen.say(kind="template", action="save", id="", name="Zero")
    seen.type("seed", "5")
    again = sent(seen, lambda: seen.say(kind="template", action="load", id="zero"))
    assert again == [{"study.family": "toy.sum", "seed": "0"}]
    seen = visit(TOY)
    seen.type("seed", "5")
    assert sent(seen, lambda: seen.say(kind="yaml", text="family: toy.sum\n")) == [{"study.family": "toy.sum"}]


def test_of_two_texts_of_yaml_the_last_counts_though_it_is_read_first(visit):
    seen = visit(TOY)
    seen.seen._handle_msg({"kind": "yaml", "text": "family: toy.sum\nbase: {seed: 1}\n"})
    seen.seen._handle_msg({"kind": "yaml", "text": "family: toy.sum\nbase: {seed: 2}\n"})
    seen.pool.waiting.reverse()
    seen.go()
    assert seen.seen.texts == {"study.family": "toy.sum", "seed": "2"}


def test_a_start_right_after_yaml_was_edited_is_of_what_was_written(visit):
    seen = visit(TOY)
    seen.seen._handle_msg({"kind": "yaml", "text": "family: toy.sum\nbase: {seed: 1}\n"})
    seen.say(kind="start")
    assert [run.what for run in seen.queue.runs()] == [OTHER]
    seen.seen._handle_msg({"kind": "yaml", "text": "family: toy.sum\nbase: {seed: 1\n"})
    seen.say(kind="start")
    assert len(seen.queue.runs()) == 1
    assert seen.seen.started["words"][0].startswith("YAML, line 3: This is no YAML: ")
    assert (seen.seen.started["refused"], seen.seen.blocked) == (
        True,
        "All of it is there already, or in the queue.",
    )
    assert seen.seen.yaml_problem


def test_another_family_keeps_what_was_typed_of_fields_that_it_has_too(visit):
    seen = visit(TOY + "&launch:seed=3&launch:steps=50&launch:train.threads=1")
    seen.say(kind="family", name="toy.fourier")
    assert seen.seen.texts == {"study.family": "toy.fourier", "seed": "3", "steps": "50", "train.threads": "1"}


def test_the_form_is_written_as_yaml_and_yaml_fills_the_form_in(visit):
    seen = visit(TOY + "&launch:seed=0,1")
    assert seen.seen.yaml == "family: toy.sum\nmatrix:\n  seed: [0, 1]\n"
    seen.say(kind="yaml", text="family: toy.sum\nbase: {width: 8}\nmatrix: {seed: [4, 5, 6]}\nanalyze: {}\n")
    assert seen.seen.texts == {
        "study.family": "toy.sum",
        "width": "8",
        "seed": "4, 5, 6",
        "study.analyze": "true",
    }
    seen.say(kind="yaml", text="family: toy.sum\nbase: {width: 8\n")
    assert seen.seen.yaml_problem.splitlines()[0].startswith("YAML, line 3: This is no YAML: ")
    assert seen.seen.texts["width"] == "8"


def test_what_is_refused_is_said_at_its_field_and_nothing_can_be_started(visit):
    seen = visit(TOY)
    seen.type("width", "0")
    assert [*seen.seen.problems] == ["width"]
    assert seen.seen.blocked == "Change first: width."
    seen.say(kind="start")
    assert (seen.queue.runs(), seen.seen.started["refused"]) == ([], True)
    assert seen.seen.started["words"][0] == "Nothing was started."
    seen.type("width", "8")
    assert (seen.seen.problems, seen.seen.blocked) == ({}, "")


def test_a_family_that_is_not_installed_is_said_to_be_missing(visit):
    seen = visit("page=launch&launch:study.family=gone.away")
    assert seen.seen.problem == "No family named 'gone.away' is installed."


def test_a_start_queues_the_runs_calls_somebody_and_leads_to_them(visit):
    seen = visit(TOY + "&launch:seed=0,1")
    seen.say(kind="start")
    assert [run.what for run in seen.queue.runs()] == [FIRST, OTHER]
    assert seen.called == [1]
    assert seen.seen.started["words"] == ["2 trainings in the queue, as the study toy.sum-seed."]
    assert [(run["variant"], run["state"]) for run in seen.seen.runs] == [(FIRST, "pending"), (OTHER, "pending")]
    assert seen.seen.blocked == "All of it is there already, or in the queue."
    seen.say(kind="open", variant=OTHER)
    place = seen.board.selection.place
    assert (place.page, place.variant) == ("views", OTHER)


def test_a_run_is_followed_to_its_end(visit):
    seen = visit(TOY)
    seen.say(kind="start")
    seen.queue.claim(1, this_process())
    seen.page.runs.read()
    seen.go()
    assert seen.seen.runs[0]["state"] == "running"
    seen.queue.move(1, RunState.FAILED, "It failed.\nNobody knows why.")
    seen.page.runs.read()
    seen.go()
    assert (seen.seen.runs[0]["state"], seen.seen.runs[0]["error"]) == ("failed", "It failed.")
    assert seen.seen.review["summary"] == "1 run: 1 new"


def test_the_losses_of_a_run_are_read_when_the_browser_asks_for_them(visit):
    seen = visit(TOY)
    seen.say(kind="start")
    seen.say(kind="curve", id=1)
    assert seen.seen.curve == {"id": 1, "curves": {}, "serial": 1}
    seen.queue.claim(1, this_process())
    seen.page.runs.read()
    seen.go()
    list(open_bound(seen.workspace.root, tables()).variant("toy.sum").train(steps=20, threads=1))
    seen.say(kind="curve", id=1)
    assert {*seen.seen.curve["curves"]["train_loss"]} == {"steps", "values"}
    seen.say(kind="curve", id=999)
    assert seen.seen.curve["serial"] == 2


def test_a_run_that_was_resumed_on_another_page_is_followed_again(visit):
    seen = visit(TOY)
    seen.say(kind="start")
    seen.queue.claim(1, this_process())
    seen.queue.move(1, RunState.FAILED, "It failed.")
    seen.page.runs.read()
    seen.go()
    seen.board.selection.move(page="jobs")
    seen.queue.move(1, RunState.PENDING)
    seen.board.selection.move(page="launch")
    seen.go()
    assert seen.seen.runs[0]["state"] == "pending"


def test_why_the_whole_is_refused_stands_right_above_what_says_so(visit, monkeypatch):
    def refused(*of):
        raise BadValue("It cannot be.", "So it is.", "Ask otherwise.")

    monkeypatch.setattr("miscope_panel.page.launch.launch_page.looked_over", refused)
    seen = visit(TOY)
    told = "It cannot be.\nSo it is.\nAsk otherwise.", "Why it cannot be run is said right above."
    assert (seen.seen.problem, seen.seen.blocked) == told


def test_a_server_that_only_shows_starts_nothing_and_says_so(visit):
    seen = visit(TOY, read_only=True)
    reason = "This server was started with --read-only: nothing can be started, changed or deleted here."
    assert seen.seen.blocked == reason
    seen.say(kind="start")
    seen.say(kind="template", action="save", id="", name="Mine")
    assert (seen.queue.runs(), seen.seen.templates["all"], seen.seen.review["summary"]) == ([], [], "1 run: 1 new")


def test_estimates_are_of_what_is_left(tmp_path, when_told):
    seen = Visit(tmp_path / "ws", when_told, TOY + "&launch:seed=0,1")
    time, size = seen.seen.estimate
    assert time.endswith(" of training, one after the other (a guess from the model's size).")
    assert size.startswith("8 checkpoints, ")
    assert size.endswith("; 336 weights each.")


def test_an_estimate_waits_on_a_thread_of_its_own_and_is_not_made_for_a_form_that_is_gone(tmp_path, when_told):
    others = type(when_told)()
    seen = Visit(tmp_path / "ws", when_told, TOY, estimates=others)
    assert (seen.seen.estimate, len(others.waiting)) == (["Finding out what it takes …"], 1)
    seen.say(kind="family", name="")
    others.go()
    assert (seen.seen.estimate, others.waiting) == ([], [])


# --- templates


def test_a_form_is_kept_compared_loaded_and_counted(visit):
    seen = visit(TOY + "&launch:seed=0,1&launch:study.name=mine")
    seen.say(kind="template", action="save", id="", name="Two seeds")
    (kept,) = seen.seen.templates["all"]
    assert (kept["name"], kept["favourite"], seen.seen.templates["words"]) == (
        "Two seeds",
        False,
        ["Kept as Two seeds."],
    )
    seen.say(kind="template", action="look", id=kept["id"])
    assert seen.seen.templates["words"] == ["The form says the same."]
    seen.type("seed", "5")
    seen.say(kind="template", action="look", id=kept["id"])
    assert seen.seen.templates["differences"] == [{"field": "seed", "before": "5", "after": "0, 1"}]
    assert seen.query["launch:seed"] == "5"
    seen.say(kind="template", action="load", id=kept["id"])
    assert seen.seen.texts == {"study.family": "toy.sum", "seed": "0, 1"}
    seen.say(kind="start")
    assert seen.page._templates._templates.of_id(kept["id"]).uses == 1


def test_templates_are_copied_marked_exported_deleted_and_imported_again(visit):
    seen = visit(TOY)
    seen.say(kind="template", action="save", id="", name="Small")
    seen.say(kind="template", action="duplicate", id="small")
    seen.say(kind="template", action="favourite", id="small-copy")
    assert [(one["name"], one["favourite"]) for one in seen.seen.templates["all"]] == [
        *(("Small (copy)", True), ("Small", False)),
    ]
    seen.say(kind="template", action="export_all", id="")
    text = seen.seen.download["text"]
    assert [one["name"] for one in json.loads(text)["templates"]] == ["Small (copy)", "Small"]
    seen.say(kind="template", action="delete", id="small")
    seen.say(kind="template", action="import", id="", text=text)
    assert seen.seen.templates["words"] == ["Small (copy): skipped", "Small: created"]
    seen.say(kind="template", action="import", id="", text="[")
    assert seen.seen.templates["refused"]
    assert seen.seen.templates["words"][0].startswith("This is no JSON: ")
    assert len(seen.seen.templates["all"]) == 2


def test_a_template_without_a_name_is_not_kept(visit):
    seen = visit(TOY)
    seen.say(kind="template", action="save", id="", name="")
    assert seen.seen.templates["words"] == [
        *("A template has a name.", "It is found by it.", "Type one beside the button."),
    ]
