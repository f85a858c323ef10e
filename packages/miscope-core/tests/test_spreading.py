"""The runs of a study side by side: what they leave is the same, a loss is of one, and a stop reaches all."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from platform import node
from typing import TypeVar, final

import pytest

from miscope.analysis.executors import Inline
from miscope.bound import BoundWorkspace, open_bound
from miscope.executor import Executor
from miscope.progress import Progress
from miscope.request import Request
from miscope.studies.document import parsed
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import Ended, sweep, sweep_on
from miscope.testing import tables
from miscope.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2', steps: 4}
matrix: {seed: [1, 2, 3, 4]}
run_name: s{seed}
train: {threads: 1}
analyze: {analyzers: [parameters.norms], executor: processes}
"""

PLAIN = STUDY.partition("analyze:")[0]

HOLDS = """
import fcntl, json, sys, time
with open(sys.argv[1], "a+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    json.dump({"host": "elsewhere", "pid": 4242, "born": 1.0, "since": "yesterday"}, file)
    file.flush()
    print("held", flush=True)
    time.sleep(1.5)
    file.truncate(0)
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


def test_where_another_machine_has_the_variant_its_run_waits_until_that_let_go(ws: BoundWorkspace) -> None:
    first, *_ = plan_of(ws)
    lock = ws.store.layout.lock(first.run.variant.name)
    lock.parent.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        (ended,) = sweep_on(Inline(), ws.value, [first])
    assert (ended.ending, ended.result.step) == ("done", 4)


@final
class LosingOnce(Executor):
    """Loses each job the first time that it is given it."""

    name = "losing-once"

    def __init__(self) -> None:
        self.given = list[str]()

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        assert lost is not None
        for job in jobs:
            again = str(job) in self.given
            self.given.append(str(job))
            yield work(job) if again else lost(job, "It was killed.")


def test_what_failed_is_tried_again_once_the_others_are_over(ws: BoundWorkspace) -> None:
    executor = LosingOnce()
    ended = list(sweep_on(executor, ws.value, plan_of(ws), retries=1))
    assert [each.ending for each in ended] == ["done"] * 4
    assert executor.given[:4] == executor.given[4:]
    assert executor.given[0] == "make s1: toy.sum/v5-seed1-width16, new, to step 4"


def test_what_failed_is_told_as_it_is_where_nothing_is_to_begin_any_more(ws: BoundWorkspace) -> None:
    executor, stop = LosingOnce(), threading.Event()

    def jobs_given() -> bool:
        if len(executor.given) == 2:
            stop.set()
        return stop.is_set()

    ended = list(sweep_on(executor, ws.value, plan_of(ws)[:3], retries=1, should_stop=jobs_given))
    assert [each.ending for each in ended] == ["failed", "failed"]


def test_one_after_the_other_too_a_run_is_tried_again_as_often_as_it_may_fail(ws: BoundWorkspace) -> None:
    tries = list[Request]()

    def third_time(workspace: Workspace, request: Request, should_stop: Callable[[], bool]) -> Iterator[Progress]:
        tries.append(request)
        if len(tries) < 3:
            raise OSError("the disk is away")
        yield Progress(step=4, total=4, run="a run")

    def endings(retries: int) -> list[str]:
        tries.clear()
        events = sweep(ws.value, plan_of(ws, PLAIN)[:1], perform=third_time, retries=retries)
        return [event.ending for event in events if isinstance(event, Ended)]

    assert (endings(1), len(tries)) == (["failed"], 2)
    assert (endings(5), len(tries)) == (["done"], 3)


@final
class Moving(Executor):
    """Moves the workspace's folder away before it does a job, as where another machine has one of that name."""

    name = "moving"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        for job in jobs:
            self.folder.rename(self.folder.with_name("moved"))
            self.folder.mkdir()
            yield work(job)
            self.folder.rmdir()
            self.folder.with_name("moved").rename(self.folder)


def test_a_folder_of_the_same_name_on_another_machine_is_not_taken_for_the_workspace(ws: BoundWorkspace) -> None:
    (ended,) = sweep_on(Moving(ws.root), ws.value, plan_of(ws)[:1])
    assert ended.ending == "failed"
    assert ended.result.error == (
        f"The folder {ws.root} on {node()} is not the workspace that the study is run in.\n"
        "It has the same path there, and another content.\n"
        "Keep the workspace on a disk that all machines see under the same path."
    )


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
            self.seen = sorted(path.suffix for path in self.folder.iterdir())


def test_what_is_under_way_is_told_to_stop_where_nobody_takes_its_result(ws: BoundWorkspace) -> None:
    executor = Noting(ws.root / "studies")
    events = sweep_on(executor, ws.value, plan_of(ws))
    assert next(events).ending == "done"
    events.close()  # type: ignore[attr-defined]
    assert executor.seen == [".going", ".stop"]
    assert list(executor.folder.iterdir()) == []
    assert len(list(sweep_on(executor, ws.value, plan_of(ws)))) == 4
    assert executor.seen == [".going"]


def test_where_runs_are_made_is_said_once(
    ws: BoundWorkspace, command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("toy", "miscope.testing.toy")
    (tmp_path / "sweep.yaml").write_text(STUDY)
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--scheduler", "tcp://127.0.0.1:1", "-w", ws.root)
    assert (code, out) == (1, "")
    assert err == (
        "The executor 'inline' takes no scheduler.\n"
        "Where its jobs run, and how many at a time, it knows itself.\n"
        "Leave it out, or name another:  `miscope executors`\n"
    )
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--jobs", 2, "--resource", "GPU=1", "-w", ws.root)
    assert (code, out) == (1, "")
    assert err == (
        "The executor 'processes' takes no resources.\n"
        "Its jobs run on this machine, each in a process of its own.\n"
        "Leave that out, or name an executor of many machines:  --executor dask\n"
    )
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--resource", "GPU=many", "-w", ws.root)
    assert (code, out) == (1, "")
    assert (
        err == "'many' is no amount of GPU.\nIt is a number above 0: how much a job takes.\nWrite --resource GPU=1.\n"
    )
    code, out, err = command("sweep", tmp_path / "sweep.yaml", "--jobs", 2, "--queue", "-w", ws.root)
    assert (code, out) == (1, "")
    assert err == (
        "--queue has the queue's supervisor do the work; --jobs would have this command share it out.\n"
        "How many runs it works on at a time is the supervisor's setting.\n"
        f"Leave one of them out; or set it:  miscope runs serve --at-once N --workspace {ws.root}\n"
    )
    assert not ws.root.exists()
