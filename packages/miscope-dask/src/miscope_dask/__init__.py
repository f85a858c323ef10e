"""The executor `dask`: jobs as tasks of dask.distributed, on as many machines as its scheduler knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Executor


@hookimpl
def miscope_executors() -> Iterable[Executor]:
    # Of distributed, nothing is imported before a job is run.
    from miscope_dask.executor import Dask

    return (Dask(),)
