"""Processes that outlive whoever started them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from miscope.store.atomic import explaining, make_folder

__all__ = ["PYTHON", "leave_alone", "spawn"]

PYTHON = (sys.executable, "-P", "-m")
"""What runs a module of what is installed, whatever files of the same names lie in the current folder."""


def spawn(words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A process that prints into the file, in a session of its own: Ctrl-C at this terminal is not for it."""
    make_folder(log.parent)
    with explaining(log), log.open("ab") as file:
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
        )


def leave_alone(process: subprocess.Popen[bytes]) -> None:
    """Let it go on by itself; while this process lives, a thread is there to take note of its end."""
    threading.Thread(target=process.wait, daemon=True).start()
