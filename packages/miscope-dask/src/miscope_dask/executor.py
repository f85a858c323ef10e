"""The executor `dask`: each job a task of dask.distributed, named for what it does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar, final

from miscope import Executor, ExecutorOptions

__all__ = ["Dask"]

T = TypeVar("T")
R = TypeVar("R")


@final
class Dask(Executor):
    """Jobs on the workers of a scheduler; where none is named, on processes of this machine that end with it."""

    name = "dask"

    def __init__(self, options: ExecutorOptions | None = None) -> None:
        """options: None for workers of this machine, one for each core."""
        self.options = options or ExecutorOptions()

    @property
    def runs_here(self) -> bool:
        from miscope_dask.connecting import address_of

        return address_of(self.options) is None

    def configured(self, options: ExecutorOptions) -> Executor:
        return Dask(options)

    @contextmanager
    def open(self) -> Iterator[Executor]:
        """The connection to the scheduler, or the workers of this machine, for several runs."""
        from miscope_dask.connecting import connected
        from miscope_dask.sharing import Sharing

        with connected(self.options) as client:
            yield Sharing(client, self.options, say=lambda line: print(line, file=sys.stderr))

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        with self.open() as opened:
            yield from opened.run(work, jobs, lost=lost)
