"""A worker of this machine leaves Ctrl-C to the process that started it, which tells it to stop."""

from __future__ import annotations

import signal

__all__ = ["dask_setup"]


def dask_setup(worker: object) -> None:
    """Called by dask in the worker's main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
