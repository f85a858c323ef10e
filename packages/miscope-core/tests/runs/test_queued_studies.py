"""`miscope sweep --queue`: the runs of a study in the queue, told together by the study's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState

Run = Callable[..., tuple[int, str, str]]

STUDY = """
name: seeds
family: toy.sum
base: {steps: 6}
matrix: {seed: [1, 2, 3]}
analyze: {analyzers: [parameters.norms]}
"""


@pytest.fixture
def study(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The study's file, in a workspace where nobody works through the queue."""
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    path = tmp_path / "seeds.yaml"
    path.write_text(STUDY)
    return path


def names(*seeds: int) -> list[str]:
    return [f"toy.sum/v5-seed{seed}-width16" for seed in seeds]


def test_each_run_is_a_training_and_the_analysis_behind_it_under_the_study_s_name(
    command: Run, study: Path, place: Path
) -> None:
    code, out, err = command("sweep", study, "--queue", "--priority", 4)
    first, second, third = names(1, 2, 3)
    assert (code, out.splitlines()) == (
        0,
        [
            f"run 1: train {first}",
            f"run 2: analyze {first}, after 1",
            f"run 3: train {second}",
            f"run 4: analyze {second}, after 3",
            f"run 5: train {third}",
            f"run 6: analyze {third}, after 5",
        ],
    )
    assert err == "To follow:  miscope runs watch\n"
    runs = RunQueue(place).runs(group="seeds")
    assert [(run.group, run.place.priority) for run in runs] == [("seeds", 4)] * 6
    assert place.joinpath("studies", "seeds.yaml").exists()


def test_what_is_in_the_queue_is_not_asked_for_twice_and_what_is_finished_not_at_all(
    command: Run, study: Path, place: Path
) -> None:
    command("train", "toy.sum", "seed=2", "--steps", 6)
    command("sweep", study, "--queue")
    before = [run.id for run in RunQueue(place).runs()]
    command("sweep", study, "--queue")
    assert [run.id for run in RunQueue(place).runs()] == before == [1, 2, 3, 4, 5]
    assert [run.what for run in RunQueue(place).runs() if run.kind == "train"] == names(1, 3)


def test_runs_of_a_study_are_listed_and_asked_together(command: Run, study: Path, place: Path) -> None:
    command("sweep", study, "--queue")
    command("train", "toy.sum", "seed=9", "--queue")
    listed = json.loads(command("runs", "list", "--group", "seeds", "--json")[1])
    assert [(run["id"], run["group"]) for run in listed] == [(n, "seeds") for n in range(1, 7)]
    assert command("runs", "cancel", "--group", "seeds")[0] == 0
    states = {run.id: run.state for run in RunQueue(place).runs()}
    assert states == {**dict.fromkeys(range(1, 7), RunState.CANCELLED), 7: RunState.PENDING}
    assert json.loads(command("runs", "retry", "--group", "seeds", "--state", "pending", "--json")[1]) == []
    assert command("runs", "list", "--group", "others")[1].startswith("There are no such runs")


def test_a_study_of_which_nothing_is_left_queues_nothing(
    command: Run, study: Path, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.yaml").write_text("family: toy.sum\nbase: {steps: 6, seed: 2}\n")
    command("train", "toy.sum", "seed=2", "--steps", 6)
    assert command("sweep", tmp_path / "one.yaml", "--queue")[:2] == (0, "There is nothing to do.\n")
    assert RunQueue(place).runs() == []
