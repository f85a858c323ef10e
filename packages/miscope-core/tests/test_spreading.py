"""The runs of a study side by side: what they leave is the same, a loss is of one, and a stop reaches all."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar, final

import pytest

from miscope.analysis.executors import Inline
from miscope.bound import BoundWorkspace, open_bound
from miscope.executor import Executor
from miscope.studies.document import parsed
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import sweep, sweep_on
from miscope.testing import tables

Run = Callable[..., tuple[int, str, str]]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2', steps: 4}
matrix: {seed: [1, 2, 3, 4]}
run_name: s{seed}
train: {threads: 1}
analyze: {analyzers: [parameters.norms], executor: processes}
"""

T = TypeVar("T")
R = TypeVar("R")


@final
class Losing(Executor):
    """Sends work and jobs away as bytes, and loses the second of them."""

    name = "losing"

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        assert lost is not None
        for number, job in enumerate(jobs):
            there, sent = pickle.loads(pickle.dumps((work, job)))
            yield lost(job, "It was killed twice in a row.") if number == 1 else there(sent)


@pytest.fixture
def ws(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "ws", tables())


def plan_of(workspace: BoundWorkspace, text: str = STUDY) -> tuple[PlannedRun, ...]:
    return planned(workspace.value, resolved(workspace.value, parsed(text, "sweep.yaml")).runs)


def files(root: Path) -> dict[str, bytes]:
    made = [*root.rglob("*.npz"), *root.rglob("step_*.safetensors")]
    return {str(path.relative_to(root)): path.read_bytes() for path in made}


def test_runs_that_are_jobs_of_an_executor_leave_what_they_leave_one_by_one(ws: BoundWorkspace, tmp_path: Path) -> None:
    ended = list(sweep_on(Inline(), ws.value, plan_of(ws)))
    assert [(each.planned.run.name, each.ending, each.result.step, each.result.saved) for each in ended] == [
        (f"s{seed}", "done", 4, 3) for seed in (1, 2, 3, 4)
    ]
    assert ended[-1].left == 0.0
    other = open_bound(tmp_path / "other", tables())
    list(sweep(other.value, plan_of(other, STUDY.replace(", executor: processes", ""))))
    assert len(files(ws.root)) == 4 * 6
    assert files(ws.root) == files(other.root)
    assert [each.ending for each in sweep_on(Inline(), ws.value, plan_of(ws))] == ["skipped"] * 4


def test_a_job_is_told_to_stop_wherever_it_is_and_no_other_begins(ws: BoundWorkspace) -> None:
    long = STUDY.replace("steps: 4", "steps: 10000000").replace("every:2", "every:1000000")
    first = plan_of(ws, long)[0].run.variant.name
    ended = list(sweep_on(Inline(), ws.value, plan_of(ws, long), should_stop=lambda: bool(ws.store.steps(first))))
    assert [(each.planned.run.name, each.ending) for each in ended] == [("s1", "stopped")]
    assert ended[0].result.step < 10_000_000
    assert ws.names() == [first]
    assert list((ws.root / "studies").iterdir()) == []
    # Nothing of that stop is left: the next call begins again.
    assert [each.ending for each in sweep_on(Inline(), ws.value, plan_of(ws)[1:2])] == ["done"]


def test_a_run_whose_process_is_lost_has_failed_alone_and_is_made_by_the_next_call(
    ws: BoundWorkspace, tmp_path: Path
) -> None:
    lost = list(sweep_on(Losing(), ws.value, plan_of(ws)))
    assert [each.ending for each in lost] == ["done", "failed", "done", "done"]
    assert lost[1].result.error == (
        "The process that made this run died.\n"
        "It was killed twice in a row.\n"
        "The same command goes on from what it had saved."
    )
    assert [each.ending for each in sweep_on(Inline(), ws.value, plan_of(ws))] == [
        "skipped", "done", "skipped", "skipped",
    ]  # fmt: skip


@final
class Noting(Executor):
    """Notes what lies in a folder when no more of its results are taken."""

    name = "noting"

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, list[str]()

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        try:
            yield from map(work, jobs)
        finally:
            self.seen = [path.suffix for path in self.folder.iterdir()] if self.folder.is_dir() else []


def test_what_is_under_way_is_told_to_stop_where_nobody_takes_its_result(ws: BoundWorkspace) -> None:
    executor = Noting(ws.root / "studies")
    events = sweep_on(executor, ws.value, plan_of(ws))
    assert next(events).ending == "done"
    events.close()  # type: ignore[attr-defined]
    assert executor.seen == [".stop"]
    assert list(executor.folder.iterdir()) == []
    assert len(list(sweep_on(executor, ws.value, plan_of(ws)))) == 4
    assert executor.seen == []


def test_where_runs_are_made_is_said_once(
    ws: BoundWorkspace, command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("toy", "miscope.testing.toy")
    (tmp_path / "sweep.yaml").write_text(STUDY)
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--jobs", 2, "--executor", "dask", "-w", ws.root)
    assert (code, out) == (1, "")
    assert err == (
        "--jobs 2 says how many processes of this machine to use; --executor dask runs elsewhere.\n"
        "How many runs are made at a time there, it knows itself.\n"
        "Leave one of them out.\n"
    )
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--jobs", 2, "--queue", "-w", ws.root)
    assert (code, out) == (1, "")
    assert err == (
        "--queue has the queue's supervisor make the runs; --jobs and --executor have this command make them.\n"
        "How many it makes at a time is the supervisor's setting.\n"
        f"Leave one of them out; or set it:  miscope runs serve --at-once N --workspace {ws.root}\n"
    )
    assert not ws.root.exists()
