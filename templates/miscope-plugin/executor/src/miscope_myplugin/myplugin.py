"""Runs looks one after another in this process, and says how long each took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, final

from miscope import Executor

__all__ = ["Timed"]

T = TypeVar("T")
R = TypeVar("R")


@final
class Timed(Executor):
    """One job after another in this process; the seconds of each on standard error."""

    name = "myplugin"

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        # `work` and every job can be pickled, so that this loop may as well send them to where they are to run;
        # it takes the next job only when there is room for it, since an iterable that ends early stops the run.
        for job in jobs:
            began = time.perf_counter()
            outcome = work(job)
            print(f"{time.perf_counter() - began:8.3f} s  {job}", file=sys.stderr)
            yield outcome
