"""`miscope runs` and `--queue`: what a person and a script type, what they are told, and with which code it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.runs.supervisor import supervisor_process
from miscope.store.process_identity import this_process

Run = Callable[..., tuple[int, str, str]]
Working = Callable[..., AbstractContextManager[list[str]]]
NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def unattended(place: Path, monkeypatch: pytest.MonkeyPatch) -> RunQueue:
    """The queue of a workspace where no command starts a supervisor."""
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    return RunQueue(place)


def test_a_training_and_what_follows_it_are_put_into_the_queue(command: Run, unattended: RunQueue) -> None:
    words = ("train", "toy.sum", "seed=3", "--steps", 7, "--threads", 1)
    code, out, err = command(*words, "--queue", "--priority", 2, "--then", "analyze:parameters.norms")
    name = "toy.sum/v5-seed3-width16"
    assert (code, out) == (0, f"run 1: train {name}\nrun 2: analyze {name}, after 1\n")
    assert err == "To follow:  miscope runs watch 2\n"
    first, second = unattended.runs()
    assert (first.request.steps, first.request.threads, first.place.priority) == (7, 1, 2)  # type: ignore[union-attr]
    assert (second.request.variants, second.request.analyzers) == ((name,), ("parameters.norms",))  # type: ignore[union-attr]
    assert second.place.needs == (1,)


def test_an_analysis_is_put_behind_a_named_run_and_printed_for_a_script(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--steps", 3)
    command("train", "toy.sum", "--steps", 9, "--queue")
    code, out, _ = command("analyze", NAME, "--queue", "--after", 1, "--json")
    (facts,) = json.loads(out)
    assert (code, facts["id"], facts["kind"], facts["needs"], facts["state"]) == (0, 2, "analyze", [1], "pending")


def test_what_is_trained_on_another_variant_waits_for_it(
    command: Run, unattended: RunQueue, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    module = "from miscope.testing.toy_autoencoder import ToyAutoencoder\n" + (
        "from miscope.hookspecs import hookimpl\n@hookimpl\ndef miscope_families():\n    return [ToyAutoencoder()]\n"
    )
    (tmp_path / "site-packages" / "autoencoder_for_runs.py").write_text(module)
    offer("autoencoder", "autoencoder_for_runs")
    command("train", "toy.sum", "--queue")
    code, out, err = command("train", "toy.autoencoder", f"variant={NAME}", "--queue")
    assert (code, err.count("\n")) == (0, 1)
    assert out.startswith("run 2: train toy.autoencoder/")
    assert out.endswith(", after 1\n")


@pytest.mark.parametrize("words", [("--then", "analyze"), ("--priority", 2), ("--after", 1), ("--json",)])
def test_an_option_of_the_queue_is_refused_without_the_queue(command: Run, place: Path, words: tuple[object]) -> None:
    code, _, err = command("train", "toy.sum", *words)
    assert (code, err) == (
        1,
        f"{words[0]} means nothing without --queue.\n"
        "It says where in the queue a run goes, or what follows it there.\n"
        "Add --queue, or leave it out.\n",
    )
    assert not place.exists()


def test_what_cannot_follow_a_training_is_refused_before_anything_is_queued(command: Run, unattended: RunQueue) -> None:
    code, _, err = command("train", "toy.sum", "--queue", "--then", "serve")
    assert (code, err) == (
        1,
        "'serve' cannot follow a training.\n"
        "What can is an analysis: of everything that applies, or of named instruments.\n"
        "Write --then analyze, or --then analyze:NAME,NAME.\n",
    )
    assert unattended.runs() == []


def test_a_value_that_the_family_refuses_is_refused_at_once_and_not_in_the_queue(
    command: Run, unattended: RunQueue
) -> None:
    code, _, err = command("train", "toy.sum", "values=2", "--queue")
    assert code == 1
    assert err.startswith("toy.sum refuses values=2")
    assert unattended.runs() == []


def test_the_list_says_how_far_runs_are_and_what_they_wait_for(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--queue", "--then", "analyze")
    assert unattended.claim(1, this_process()) is not None
    unattended.reach(1, Reached(done=1200, total=5000, eta=3725.0))
    _, out, _ = command("runs", "list")
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows == [
        "run state kind progress left what remark",
        f"1 running train step 1,200 of 5,000 (24 %) 1 h 02 min {NAME}",
        f"2 pending analyze {NAME} waits for 1 (running)",
    ]
    _, out, _ = command("runs", "list", "--state", "running", "--json")
    assert [(run["id"], run["done"], run["total"]) for run in json.loads(out)] == [(1, 1200, 5000)]


def test_an_empty_list_says_how_to_ask_for_a_run(command: Run, place: Path) -> None:
    code, out, _ = command("runs", "list")
    assert (code, out) == (0, f"There are no such runs in {place}.  To ask for one:  miscope train FAMILY --queue\n")
    code, _, err = command("runs", "list", "--state", "runing")
    assert (code, err.splitlines()[:2]) == (1, ["There is no state named 'runing'.", "Did you mean 'running'?"])


def test_runs_are_asked_in_bulk_and_one_that_is_refused_is_told_with_code_1(command: Run, unattended: RunQueue) -> None:
    for seed in range(3):
        command("train", "toy.sum", f"seed={seed}", "--queue")
    assert command("runs", "cancel", 2)[:2] == (0, "run 2: cancelled\n")
    code, out, err = command("runs", "cancel", 1, 2)
    assert (code, out) == (1, "run 1: cancelled\n")
    assert err.splitlines()[0] == "Run 2 is cancelled, which does not allow 'cancel'."
    assert command("runs", "retry", "--state", "cancelled")[:2] == (
        0,
        "run 1: toy.sum/v5-seed0-width16 (again, as run 4)\nrun 2: toy.sum/v5-seed1-width16 (again, as run 5)\n",
    )
    code, out, _ = command("runs", "stop", 3, "--json")
    (result,) = json.loads(out)
    assert (code, result["id"], result["run"]) == (1, 3, None)
    assert result["refused"].startswith("Run 3 is pending")


def test_retrying_all_of_a_state_repeats_no_run_that_another_repeats_already(
    command: Run, unattended: RunQueue
) -> None:
    command("train", "toy.sum", "--queue")
    command("runs", "cancel", 1)
    assert command("runs", "retry", "--state", "cancelled")[1] == f"run 1: {NAME} (again, as run 2)\n"
    assert command("runs", "retry", "--state", "cancelled")[:2] == (0, "There are none.\n")
    command("runs", "cancel", 2)
    assert command("runs", "retry", "--state", "cancelled")[1] == f"run 2: {NAME} (again, as run 3)\n"
    assert command("runs", "retry", 1)[1] == f"run 1: {NAME} (again, as run 4)\n"


def test_a_command_for_runs_needs_to_know_which(command: Run, unattended: RunQueue) -> None:
    code, _, err = command("runs", "stop")
    assert (code, err) == (
        1,
        "Which runs?\n`miscope runs list` has their numbers.\n"
        "Give some, as in 3 4; or --state failed for all in that state, --group STUDY for all of a study.\n",
    )


def test_a_deleted_run_is_listed_apart_and_restored(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--queue")
    command("runs", "cancel", 1)
    assert command("runs", "delete", 1)[:2] == (0, "run 1: deleted\n")
    assert "There are no such runs" in command("runs", "list")[1]
    assert NAME in command("runs", "list", "--deleted")[1]
    assert command("runs", "restore", 1)[:2] == (0, "run 1: cancelled\n")
    assert NAME in command("runs", "list")[1]


def test_everything_of_one_run_is_shown_with_its_error(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--steps", 9, "--queue")
    unattended.claim(1, this_process())
    unattended.reach(1, Reached(done=4, total=9, rate=2.0, seconds=61.0, metrics={"train_loss": 0.25}, checkpoint=3))
    unattended.move(1, RunState.FAILED, "The loss is not finite.\nLower the rate.")
    code, out, _ = command("runs", "show", 1)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        f"what train {NAME}",
        "state failed",
        "progress step 4 of 9 (44 %)",
        "rate 2 steps a second",
        "worked 1 min 01 s",
        "metrics train_loss 0.25",
        "checkpoint step 3",
    ):
        assert line in lines
    assert (code, lines[-2:]) == (0, ["The loss is not finite.", "Lower the rate."])
    assert json.loads(command("runs", "show", 1, "--json")[1])["error"] == "The loss is not finite.\nLower the rate."


def test_watching_ends_with_the_runs_and_its_code_says_whether_all_are_completed(
    command: Run, unattended: RunQueue, working: Working
) -> None:
    command("train", "toy.sum", "--threads", 1, "--log-every", 1000, "--queue", "--then", "analyze:attention.patterns")
    with working(unattended):
        code, out, _ = command("runs", "watch", 1, 2)
    lines = out.splitlines()
    assert lines[0].startswith(("run 1: pending", "run 1: running"))  # the supervisor may have been the faster one
    assert f"run 1: completed 100 % | train {NAME}" in lines
    assert lines[-1].startswith(
        f"run 2: failed | analyze {NAME}: 'attention.patterns' does not apply to {NAME}: toy.sum has"
    )
    assert code == 1
    code, out, _ = command("runs", "watch", 1, "--json")
    assert (code, [json.loads(line)["state"] for line in out.splitlines()]) == (0, ["completed"])
    code, out, _ = command("runs", "logs", 1, "--tail", 2)
    assert (code, out.splitlines()[1]) == (0, "run 1: completed")
    *_, first, last, end = command("runs", "logs", 1, "--follow")[1].splitlines()
    assert (first.partition(" |")[0], end) == ("epoch       0", "run 1: completed")
    assert last.startswith("epoch ")


def test_a_queued_run_is_worked_through_without_a_word_more(command: Run, place: Path) -> None:
    assert command("train", "toy.sum", "--threads", 1, "--queue")[0] == 0
    assert command("runs", "watch")[0] == 0
    assert [run.state for run in RunQueue(place).runs()] == [RunState.COMPLETED]


def test_a_run_is_given_a_name_notes_and_tags_which_listings_have(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--queue")
    words = ("--name", "baseline", "--notes", "old split", "--tag", "paper", "--tag", "a")
    assert command("runs", "edit", 1, *words) == (0, "run 1: baseline; old split; paper, a\n", "")
    shown = [" ".join(line.split()) for line in command("runs", "show", 1)[1].splitlines()]
    assert {"name baseline", "notes old split", "tags paper, a"} < {*shown}
    assert "'baseline' [paper, a]" in command("runs", "list")[1]
    found = {words: command("runs", "list", "-q", words, "--json")[1] for words in ("PAPER", "Split", "sum/v5", "x")}
    assert [len(json.loads(out)) for out in found.values()] == [1, 1, 1, 0]
    assert command("runs", "list", "--search", "x")[1].startswith("There are no such runs in ")
    (facts,) = json.loads(command("runs", "list", "--json")[1])
    assert (facts["name"], facts["notes"], facts["tags"]) == ("baseline", "old split", ["paper", "a"])
    assert command("runs", "edit", 1, "--name", "", "--no-tags", "--notes", "")[1] == "run 1: no name, notes or tags\n"
    assert command("runs", "edit", 1)[2].splitlines()[0] == "What is to be otherwise?"
    assert command("runs", "edit", 1, "--tag", "a", "--no-tags")[2].splitlines()[0] == "Has it tags, or none?"


def test_a_second_supervisor_is_refused_by_name(command: Run, unattended: RunQueue, working: Working) -> None:
    with working(unattended):
        code, _, err = command("runs", "serve", "--until-idle")
    assert (code, err.splitlines()[0]) == (1, f"The runs of {unattended.layout.root} have a supervisor already.")


def test_one_that_is_started_in_passing_says_nothing_where_there_is_another(
    unattended: RunQueue, working: Working
) -> None:
    with working(unattended):
        assert supervisor_process(unattended.layout.root).wait() == 1
    assert (unattended.layout.runs / "supervisor.log").read_text() == ""


def test_serving_until_idle_ends_once_nothing_more_can_begin(command: Run, unattended: RunQueue) -> None:
    command("train", "toy.sum", "--queue")
    command("runs", "cancel", 1)
    code, _, err = command("runs", "serve", "--until-idle", "--at-once", 3)
    assert (code, err) == (0, f"At most 3 runs at once, in {unattended.layout.root}\n")
