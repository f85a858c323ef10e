"""One process at a time trains a variant: a lock that the system takes back when its holder ends, however it ends."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from platform import node

from miscope.errors import Busy
from miscope.store.atomic import explaining, make_folder
from miscope.store.process_identity import is_alive, this_process

__all__ = ["lock_holder", "variant_lock"]

_PATIENCE = 2.0
"""Seconds for which one waits for a lock whose holder is dead."""


@contextmanager
def variant_lock(path: Path, variant: str) -> Iterator[None]:
    """Hold the lock file while in the `with`; Busy, saying who has it, if somebody else does.

    The file stays where it is: to remove it would let a third in who locks another file of its name.
    """
    make_folder(path.parent)
    with explaining(path):
        held = path.open("a+b", buffering=0)
    with held as file:
        if not _locked(file) and not _left(file, path):
            holder, stop, host = _holder(file)
            raise Busy(variant, holder, stop, elsewhere=host != node())
        with explaining(path):
            _say_who(file)
        try:
            yield
        finally:
            file.truncate(0)


def _locked(file: FileIO) -> bool:
    """Whether the lock is ours; so it is, too, where there are no locks to be had: Windows, some network disks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def _left(file: FileIO, path: Path) -> bool:
    """Whether the lock becomes ours although somebody has it: whoever said so is dead.

    A process that the dead one was about to start has the file too, until it has started.
    """
    patience = time.monotonic() + _PATIENCE
    while path.stat().st_size and not lock_holder(path) and time.monotonic() < patience:
        time.sleep(0.01)
        if _locked(file):
            return True
    return False


def _say_who(file: FileIO) -> None:
    me = this_process()
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    file.truncate(0)
    file.write(json.dumps({"host": me.host, "pid": me.pid, "born": me.born, "since": since}).encode())


def _holder(file: FileIO) -> tuple[str, str, str]:
    """Who has the lock, how to stop them, and their machine, as far as they have said it."""
    file.seek(0)
    try:
        holder = json.loads(file.read())
        host, pid, since = str(holder["host"]), int(holder["pid"]), str(holder["since"])
    except (ValueError, KeyError, TypeError):
        return "another process", "Ctrl-C there", node()
    if (host, pid) == (node(), os.getpid()):
        return f"another thread of this process since {since}", "close its iterator", host
    return f"process {pid} on {host} since {since}", f"`kill {pid}`" if host == node() else f"Ctrl-C on {host}", host


def lock_holder(path: Path) -> str:
    """Who holds the lock file by what it says, as ' by process 4242'; "" where nobody of this machine does.

    Looks without trying the lock, which would stand in the way of somebody who wants it.
    """
    try:
        holder = json.loads(path.read_bytes())
        host, pid, born = str(holder["host"]), int(holder["pid"]), float(holder["born"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f" by process {pid}" if host == node() and is_alive(host, pid, born) else ""
