"""Forks loops that record one run, each killed at a random moment of its work. Run by test_recording_runs.py."""

import os
import random
import signal
import sys
from pathlib import Path

import torch

from miscope.bound import open_bound
from miscope.testing import tables
from miscope.testing import toy_modules as own


def record(root: Path, *, more: int = 10**9, kept: int = -1, seconds: float = 0.0) -> None:
    """Go on from the last checkpoint for so many more, to be killed so many seconds after those that are to be kept."""
    place = open_bound(root, tables())
    model = own.seeded()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    known = place.variants()
    at = known[0].steps[-1] if known and known[0].steps else -1
    if at >= 0:
        model.load_state_dict(known[0].at(at).checkpoint.weights)
    with place.record("one", model, probe=own.pairs()) as recorder:
        for step in range(at + 1, at + 1 + more):
            own.learn(model, optimizer)
            if step == at + 1 + kept:
                # What the kernel does with a process without a handler for this signal is what it does for SIGKILL.
                signal.setitimer(signal.ITIMER_REAL, seconds)
            recorder.checkpoint(step, model, metrics={"train_loss": float(step)}, optimizer=optimizer)


def main(root: Path, rounds: int) -> None:
    """So many loops, each killed."""
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            record(root, kept=random.randint(1, 3), seconds=random.uniform(0.001, 0.1))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGALRM


if __name__ == "__main__":
    # A fork has none of its parent's threads, for which the arithmetic of several would wait for ever.
    torch.set_num_threads(1)
    # Here once, so that what it imports is there and the others spend their lives recording.
    for _ in range(2):
        record(Path(sys.argv[1]) / "first", more=1)
    main(Path(sys.argv[1]) / "killed", int(sys.argv[2]))
