"""What a worker must be, and what a task is called."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import Any

from miscope.analysis.job import Job
from miscope_dask.tasks import key_of
from miscope_dask.workers import faults, versions_needed


def worker(threads: int = 1) -> Any:
    return SimpleNamespace(state=SimpleNamespace(nthreads=threads))


def test_a_worker_with_the_same_versions_and_one_task_at_a_time_is_fit() -> None:
    needed = versions_needed()
    assert {"miscope-core", "miscope-dask"} <= set(needed)
    assert not {"miscope-views", "miscope-panel"} & set(needed)
    assert faults(needed, worker()) == []


def test_a_worker_says_everything_that_makes_it_unfit() -> None:
    core = importlib.metadata.version("miscope-core")
    assert faults({"miscope-core": "99.0", "miscope-rank": "1.0"}, worker(threads=4)) == [
        f"miscope-core is {core} there, and 99.0 here",
        "miscope-rank 1.0 is not installed there",
        "it does 4 tasks at a time in one process, and a job needs its own (start it with --nthreads 1)",
    ]


def test_a_task_is_called_what_its_job_does() -> None:
    from distributed.utils import key_split

    job = Job(variant="toy.sum/v5", step=100, analyzers=("a.a", "b.b", "c.c", "d.d", "e.e"), steps=())
    assert str(job) == "analyze toy.sum/v5 at step 100: a.a, b.b, c.c and 2 more"
    over = Job(variant="toy.sum/v5", step=None, analyzers=("a.a",), steps=(0, 10, 20))
    assert str(over) == "analyze toy.sum/v5 at steps 0 to 20: a.a"
    across = Job(variant="cohort/ab", step=None, analyzers=("a.a",), steps=(), members=(("x", (1,)), ("y", (1,))))
    assert str(across) == "analyze cohort/ab of 2 variants: a.a"
    first, second = key_of(job), key_of(job)
    assert first != second
    assert first.endswith(" toy.sum/v5 at step 100: a.a, b.b, c.c and 2 more")
    assert key_split(first) == key_split(key_of(over)) == "analyze"
