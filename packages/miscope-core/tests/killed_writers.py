"""Forks writers that save without pause, each killed at a random moment. Run by test_store.py."""

import os
import random
import signal
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet
import safetensors.torch
import torch

from miscope.artifact import ArtifactKey
from miscope.checkpoint import Checkpoint
from miscope.family import make_variant
from miscope.store.store import Store
from miscope.testing.toy import ToyFamily

# Imported before the forks, so that the writers spend their short lives writing.
_ = (pyarrow.parquet, safetensors.torch)


def write_until_killed(store: Store, name: str, begin: int, log: int, seconds: float) -> None:
    """Save a checkpoint, an artifact and metrics at each step, and note each when it is done.

    Killed so many seconds of work after it has saved something, as what takes time at first is loading libraries: what
    the kernel does with a process that has no handler for this signal is what it does for SIGKILL.
    """
    for step in count(begin):
        if step == begin + 1:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        store.save_checkpoint(name, Checkpoint(step=step, weights={"W_E": torch.full((64, 64), float(step))}))
        os.write(log, f"checkpoint {step}\n".encode())
        key = ArtifactKey(variant=name, analyzer="toy", recipe="r", probe="-", step=step)
        store.save_arrays(key, {"a": np.full(4096, step, dtype=np.float64)})
        os.write(log, f"artifact {step}\n".encode())
        store.append_metrics(name, [(step, "loss", 1.0 / (step + 1))])
        os.write(log, f"metrics {step}\n".encode())


def main(root: Path, rounds: int) -> None:
    """So many writers, one after the other; each begins at a step of its own."""
    store, variant = Store(root), make_variant(ToyFamily(), {})
    store.save_variant(variant)
    log = os.open(root / "finished.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for number in range(rounds):
        seconds = random.uniform(0.001, 0.15)
        child = os.fork()
        if child == 0:
            write_until_killed(store, variant.name, 10_000 * number, log, seconds)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGPROF


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
