"""Forks trainings of a variant, each killed at a random moment, then lets one finish; so of one variant after another.

Run by test_training.py and test_objective_resumed.py; prints the step at which each ended.
"""

import json
import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope.testing.toy_gated import ToyGated
from miscope.testing.toy_sequences import ToySequences

ENDLESS = 10**9
FAMILIES = (ToyAutoencoder(), ToyGated(), ToySequences())


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
    """Of the variant; 'family' where it is not the plain toy's, 'variant' where it is built on another."""
    watch: list[str]

    def variant(self, root: Path) -> BoundVariant:
        """In the workspace there, with what it is built on."""
        fields = dict(self.fields)
        family = fields.pop("family", "toy.sum")
        place = open_bound(root, tables(*FAMILIES))
        if "variant" in fields and fields["variant"] not in place.store.variants():
            for _ in place.variant("toy.sum").train(threads=1):
                pass
        return place.variant(family, checkpoints="adaptive:3-20", batch_size=4, **fields)


def train(root: Path, steps: int, asked: Asked, end: End | None = None) -> None:
    """Train the toy from wherever it is so far."""
    if end:
        end.comes_after(0)
    for told, _ in enumerate(asked.variant(root).train(steps=steps, threads=1, watch=asked.watch), start=1):
        if end:
            end.comes_after(told)


def main(root: Path, rounds: int, asked: Asked) -> int:
    """So many endless trainings, each killed, and one that ends 25 steps after the last saved state; the step where.

    Every other one is killed once it trains; the others at any moment, their preparations included.
    """
    # One elsewhere, begun and gone on from, so that what it imports is there and the others spend their lives training.
    for steps in (3, 6):
        train(root.with_name("first"), steps, asked)
    name = asked.variant(root).name
    for number in range(rounds):
        end = End(told=random.randint(1, 9) if number % 2 == 0 else 0, seconds=random.uniform(0.001, 0.15))
        child = os.fork()
        if child == 0:
            train(root, ENDLESS, asked, end)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGPROF
    state = open_bound(root, tables(*FAMILIES)).store.load_training_state(name)
    assert state is not None
    train(root, state.step + 25, asked)
    return state.step + 25


if __name__ == "__main__":
    killed, count, each = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    print(json.dumps([main(killed, count, Asked(fields=fields, watch=sys.argv[4:])) for fields in each]))
