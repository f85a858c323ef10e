"""Forks trainings of one variant, each killed at a random moment, then lets one finish. Run by test_training.py."""

import json
import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miscope.testing import tables
from miscope.workspace import open_workspace

ENDLESS = 10**9


@dataclass(frozen=True)
class End:
    """When a training is killed; counted in its own work, so that a busy machine changes nothing."""

    told: int
    """Times it has told something."""
    seconds: float
    """Of the processor, after that."""

    def comes_after(self, told: int) -> None:
        # What the kernel does with a process that has no handler for this signal is what it does for SIGKILL.
        if told == self.told:
            signal.setitimer(signal.ITIMER_PROF, self.seconds)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What all of the trainings are."""

    fields: dict[str, Any]
    watch: list[str]


def train(root: Path, steps: int, asked: Asked, end: End | None = None) -> None:
    """Train the toy from wherever it is so far."""
    if end:
        end.comes_after(0)
    variant = open_workspace(root, tables()).variant(
        "toy.sum", checkpoints="adaptive:3-20", batch_size=4, **asked.fields
    )
    for told, _ in enumerate(variant.train(steps=steps, threads=1, watch=asked.watch), start=1):
        if end:
            end.comes_after(told)


def main(root: Path, rounds: int, asked: Asked) -> None:
    """So many endless trainings, each killed, and one that ends 25 steps after the last saved state; prints where.

    Every other one is killed once it trains; the others at any moment, their preparations included.
    """
    # One elsewhere, begun and gone on from, so that what it imports is there and the others spend their lives training.
    for steps in (3, 6):
        train(root.with_name("first"), steps, asked)
    for number in range(rounds):
        end = End(told=random.randint(1, 9) if number % 2 == 0 else 0, seconds=random.uniform(0.001, 0.15))
        child = os.fork()
        if child == 0:
            train(root, ENDLESS, asked, end)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGPROF
    workspace = open_workspace(root, tables())
    (name,) = workspace.store.variants()
    state = workspace.store.load_training_state(name)
    assert state is not None
    train(root, state.step + 25, asked)
    print(state.step + 25)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Asked(fields=json.loads(sys.argv[3]), watch=sys.argv[4:]))
