"""Which process it is: a number that is used again, and the time of birth that tells its users apart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from platform import node
from typing import final

__all__ = ["ProcessIdentity", "identity_of", "is_alive", "this_process"]

_EPOCH = 1e9
"""Seconds: a time of birth beyond it was taken from the clock, as those written before 0.2 were."""


@final
@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process of some machine."""

    host: str
    pid: int
    born: float
    """Seconds from the machine's start, where the system says so: a clock that is set anew does not change it."""


def this_process() -> ProcessIdentity:
    """The one that asks."""
    known = identity_of(os.getpid())
    assert known is not None, "a process that asks is there"
    return known


def identity_of(pid: int) -> ProcessIdentity | None:
    """The process of this machine that has the number now; None where none has, or it has ended."""
    import psutil

    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessIdentity(node(), pid, _born(pid))
    except psutil.NoSuchProcess:
        return None


def is_alive(host: str | None, pid: int | None, born: float | None) -> bool:
    """Whether the process of that identity still runs; one on another host counts as running."""
    if host != node():
        return True
    import psutil

    if pid is None or born is None:
        return False
    try:
        now = identity_of(pid)
        if now is None:
            return False
        then = psutil.Process(pid).create_time() if born > _EPOCH else now.born
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return abs(then - born) < (1.0 if born > _EPOCH else 0.005)


def _born(pid: int) -> float:
    """Seconds from the start of the machine, or of the epoch where the system does not say."""
    import psutil

    try:
        # The name in parentheses may hold anything; of what follows, the 20th is the time in ticks (proc(5)).
        after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return psutil.Process(pid).create_time()
