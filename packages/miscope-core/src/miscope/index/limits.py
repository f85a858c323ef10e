"""Bounds on a question: memory and time, so that one that asks for too much is refused and the process lives on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["MEMORY", "SECONDS", "limited"]

MEMORY = 2 * 2**30
"""Bytes one question may take beyond the tables it is put to."""

SECONDS = 120.0
"""Time one question may take."""

_one_at_a_time = threading.Lock()


@contextmanager
def limited(database: DuckDBPyConnection, *, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Let what is asked inside take so much memory and time; beyond it DuckDB raises what it raises for either."""
    rows = database.execute("SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory()").fetchall()
    database.execute(f"SET memory_limit = '{(int(rows[0][0]) + memory) // 2**20} MiB'")
    # Nothing is written while answering, not even what does not fit.
    database.execute("SET temp_directory = ''")
    # The clock runs from when the question is put, not while it waits for others.
    with _process_bound(memory):
        clock = threading.Timer(seconds, database.interrupt)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()


@contextmanager
def _process_bound(memory: int) -> Iterator[None]:
    """Hold the whole process to what it has and this much more, where the system can.

    DuckDB's own limit does not see the text that functions make, nor the answer itself.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    with _one_at_a_time:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = _data_bytes() + memory
        bound = wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
        try:
            yield
        finally:
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What the process has taken of what the limit counts."""
    import resource

    with open("/proc/self/statm", "rb") as file:
        pages = int(file.read().split()[5])
    return pages * resource.getpagesize()
