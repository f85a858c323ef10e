"""Studies and analyses on a scheduler with two workers: the same to the last bit, also where a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

import miscope_dask
from miscope import ExecutorOptions
from miscope.bound import BoundWorkspace, open_bound
from miscope.studies.document import parsed
from miscope.studies.planning import PlannedRun, planned
from miscope.studies.resolving import resolved
from miscope.studies.sweeping import sweep, sweep_on
from miscope.testing import tables
from miscope_dask.answering import NoScheduler, check_scheduler
from miscope_dask.connecting import NoSuchWorker
from miscope_dask.executor import Dask
from miscope_dask.workers import Unready

Offer = Callable[[str, str], None]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2', steps: 4}
matrix: {seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}
include: [{name: long, seed: 12, steps: 3000, checkpoints: 'every:300'}]
run_name: s{seed}
train: {threads: 1}
analyze: {analyzers: [parameters.norms, ranks.weights]}
"""
FAILING = """
family: toy.sum
base: {checkpoints: 'every:2', steps: 4}
include: [{name: fine, seed: 1}, {name: wild, seed: 2, learning_rate: 1e30}, {name: last, seed: 3}]
train: {threads: 1}
"""
ENDLESS = """
family: toy.sum
base: {checkpoints: 'every:1000', steps: 100000000}
matrix: {seed: [1, 2, 3]}
run_name: s{seed}
train: {threads: 1}
"""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    address: str
    scheduler: int
    workers: tuple[int, ...]
    """Numbers of processes."""

    @property
    def executor(self) -> Dask:
        return Dask(ExecutorOptions(scheduler=self.address))


@contextmanager
def process(*words: object) -> Iterator[int]:
    """A `dask` command at work; killed in the end, whatever it does."""
    command = [sys.executable, "-m", "dask", *map(str, words)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=one_thread) as running:
        try:
            yield running.pid
        finally:
            running.kill()


def until(condition: Callable[[], object]) -> None:
    """Look again and again until it holds; it is the test's timeout that bounds this."""
    while not condition():
        time.sleep(0.01)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers, each a process of its own."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    here = ("--host", "127.0.0.1", "--scheduler-file", file, "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    worker = ("worker", *here, "--nthreads", 1, "--no-nanny", "--memory-limit", 0, "--local-directory", file.parent)
    with ExitStack() as stack:
        scheduler = stack.enter_context(process("scheduler", "--port", 0, *here))
        until(file.exists)
        workers = tuple(stack.enter_context(process(*worker)) for _ in range(2))
        yield Cluster(address=json.loads(file.read_text())["address"], scheduler=scheduler, workers=workers)


@pytest.fixture
def ws(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "ws", tables(dask=miscope_dask))


def plan_of(workspace: BoundWorkspace, text: str = STUDY) -> tuple[PlannedRun, ...]:
    return planned(workspace.value, resolved(workspace.value, parsed(text, "sweep.yaml")).runs)


def files(root: Path) -> dict[str, bytes]:
    made = [*root.rglob("*.npz"), *root.rglob("step_*.safetensors")]
    return {str(path.relative_to(root)): path.read_bytes() for path in made}


def trainings(workspace: BoundWorkspace, variant: str) -> list[tuple[int, bool]]:
    """Of each training of the variant: its process, and whether it was finished."""
    runs = [list(workspace.value.ledger.lines(name)) for name in workspace.value.ledger.runs()]
    mine = [lines for lines in runs if lines and (lines[0]["kind"], lines[0]["variant"]) == ("train", variant)]
    return [(int(str(lines[0]["pid"])), lines[-1]["event"] == "finished") for lines in mine]


def kill_who_trains(workspace: BoundWorkspace, variant: str) -> None:
    """Once the variant has checkpoints beyond its first: kill -9 of the process that makes them."""
    until(lambda: len(workspace.store.steps(variant)) > 2)
    ((pid, finished),) = trainings(workspace, variant)
    assert not finished
    os.kill(pid, signal.SIGKILL)


def test_an_analysis_leaves_the_arrays_that_it_leaves_inline_and_its_tasks_say_what_they_are(
    ws: BoundWorkspace, cluster: Cluster
) -> None:
    variant = ws.variant("toy.sum")
    list(variant.train(threads=1))
    variant.analyze("parameters.norms", executor=cluster.executor)
    with Client(cluster.address, set_as_default=False) as client:
        assert "analyze" in client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes))
        worker = next(iter(client.scheduler_info()["workers"]))
    with pytest.raises(NoScheduler, match="What answers there is a worker"):
        check_scheduler(worker, 5)
    there = dict(variant.arrays("parameters.norms"))
    variant.analyze("parameters.norms", executor="inline", force=True)
    inline = variant.arrays("parameters.norms")
    assert there.keys() == inline.keys()
    assert all(np.array_equal(there[name], inline[name]) for name in there)


def test_a_run_that_fails_is_reported_and_the_others_are_made(ws: BoundWorkspace, cluster: Cluster) -> None:
    ended = {each.planned.run.name: each for each in sweep_on(cluster.executor, ws.value, plan_of(ws, FAILING))}
    assert {name: each.ending for name, each in ended.items()} == {"fine": "done", "wild": "failed", "last": "done"}
    assert ended["wild"].result.error.startswith("The loss of toy.sum/")


def test_a_stop_reaches_the_workers_and_what_they_train_is_gone_on_with(ws: BoundWorkspace, cluster: Cluster) -> None:
    names = [each.run.variant.name for each in plan_of(ws, ENDLESS)]

    def both_under_way() -> bool:
        return all(len(ws.store.steps(name)) > 1 for name in names[:2])

    ended = list(sweep_on(cluster.executor, ws.value, plan_of(ws, ENDLESS), should_stop=both_under_way))
    assert sorted((each.planned.run.name, each.ending) for each in ended) == [("s1", "stopped"), ("s2", "stopped")]
    for each in ended:
        name = each.planned.run.variant.name
        assert each.result.step == ws.store.steps(name)[-1]
        assert ws.store.load_training_state(name) is not None
    assert ws.store.steps(names[2]) == []


def test_a_worker_without_a_plug_in_that_is_here_is_told_before_anything_runs(cluster: Cluster, offer: Offer) -> None:
    offer("rank", "miscope.testing.toy")
    with pytest.raises(Unready) as refusal, cluster.executor.open():
        pass
    first, known, do = str(refusal.value).splitlines()
    assert first.startswith("The worker tcp://127.0.0.1:")
    assert first.endswith(" cannot do jobs as this process would.")
    assert known == "miscope-rank 1.0 is not installed there."
    assert do == (
        "Make it alike and start it again; or do without a plug-in that is not needed:"
        " MISCOPE_PLUGINS=modadd,dask miscope ..."
    )


def test_a_resource_that_no_worker_has_is_told_before_anything_waits_for_it(cluster: Cluster) -> None:
    wanting = Dask(ExecutorOptions(scheduler=cluster.address, resources={"GPU": 1}))
    with pytest.raises(NoSuchWorker) as refusal, wanting.open():
        pass
    assert str(refusal.value) == (
        "None of the 2 workers has GPU=1.\n"
        "What they have is: nothing that they were started with.\n"
        'Start some with it:  dask worker ADDRESS --nthreads 1 --resources "GPU=1"'
    )


def test_a_study_with_a_killed_worker_ends_with_what_it_ends_with_inline_bit_for_bit(
    ws: BoundWorkspace, cluster: Cluster, tmp_path: Path
) -> None:
    plan = plan_of(ws)
    long = plan[-1].run.variant.name
    killing = threading.Thread(target=kill_who_trains, args=(ws, long))
    killing.start()
    ended = list(sweep_on(cluster.executor, ws.value, plan))
    killing.join()
    assert sorted(each.ending for each in ended) == ["done"] * 12
    (killed, finished_first), (second, finished_then) = trainings(ws, long)
    assert (finished_first, finished_then) == (False, True)
    assert {killed, second} == set(cluster.workers)
    assert all([finished for _, finished in trainings(ws, each.run.variant.name)] == [True] for each in plan[:-1])
    other = open_bound(tmp_path / "inline", tables())
    assert [each.ending for each in sweep(other.value, plan_of(other)) if hasattr(each, "ending")] == ["done"] * 12
    assert len(files(ws.root)) == 11 * (3 + 6) + 11 * 3
    assert files(ws.root) == files(other.root)
    for each in plan:
        here, there = (place.store.metrics(each.run.variant.name) for place in (ws, other))
        assert here.keys() == there.keys()
        assert all(np.array_equal(here[name].values, there[name].values) for name in here)


def test_a_scheduler_that_goes_away_is_told(ws: BoundWorkspace, cluster: Cluster) -> None:
    plan = plan_of(ws, ENDLESS)
    name = plan[0].run.variant.name
    runs = sweep_on(cluster.executor, ws.value, plan[:1])

    def kill() -> None:
        until(lambda: ws.store.steps(name))
        os.kill(cluster.scheduler, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(NoScheduler) as refusal:
        next(runs)
    killing.join()
    assert str(refusal.value).splitlines()[:2] == [
        f"No dask scheduler answers at {cluster.address}.",
        "It did, and is gone; what its workers had saved is kept.",
    ]
