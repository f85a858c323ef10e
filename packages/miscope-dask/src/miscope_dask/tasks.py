"""A job as a task: the name by which dask shows it, and what a worker does with it."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Mapping
from typing import Any

from distributed import get_worker

from miscope_dask.workers import Unready, faults

__all__ = ["done_there", "key_of"]


def key_of(job: object) -> str:
    """'make-1f2e3d4c s1: toy.sum/v5-seed1, new, to step 4': dask groups tasks by the word before the dash."""
    verb, _, rest = str(job).partition(" ")
    return f"{verb if verb.isalpha() else 'job'}-{secrets.token_hex(4)} {rest}".rstrip()


def done_there(sent: bytes, versions: Mapping[str, str]) -> Any:
    """What became of the job. Raises Unready on a worker that joined and is not fit for it.

    Unpickled here, in the task's own thread, as that may import for seconds.
    """
    if unfit := faults(versions, get_worker()):
        raise Unready(f"A worker that joined is not fit for jobs: {'; '.join(unfit)}.")
    work, job = pickle.loads(sent)
    return work(job)
