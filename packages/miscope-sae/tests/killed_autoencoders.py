"""Forks trainings of every architecture, each killed or told to stop at a random moment, then lets one of each finish.

Run by test_resumed_autoencoders.py; prints at which step each ended.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType

import miscope_sae
from miscope.bound import BoundVariant, open_bound
from miscope.testing import tables

ENDLESS = 10**9
TRAININGS = Path(__file__).with_suffix(".json")


def variant(root: Path, family: str) -> BoundVariant:
    """An autoencoder of 200 inputs of 8 numbers, or a transcoder of these to 6, in the workspace there."""
    place = open_bound(root, tables(sae=miscope_sae))
    given = json.loads(TRAININGS.read_text())
    fields = {**given["all"], **given["each"][family]}
    several = "source_steps" in fields
    known = ("sae.known-births", {}) if several else ("sae.known-features", {"width_out": 6})
    source = place.variant(known[0], features=12, width=8, inputs=200, probability=0.1, **known[1])
    place.value.keep_record(source.value)
    at = {} if several else {"step": 0}
    # 'stream: sae.topk' is another training of the same architecture.
    architecture = family.rpartition(": ")[2]
    return place.variant(architecture, variant=source.name, site="hook_embed", **at, **fields)


def train(training: BoundVariant, steps: int) -> None:
    for _ in training.train(steps=steps, threads=1):
        pass


def stopped_gently(number: int, frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def interrupted(root: Path, family: str, *, gently: bool) -> None:
    """An endless training in a process of its own; its end is counted in its own work, whatever the machine does.

    One is killed at any moment, its preparations included, the other told to stop once it trains.
    """
    child = os.fork()
    if child == 0:
        if gently:
            signal.signal(signal.SIGPROF, stopped_gently)
        else:
            # What the kernel does with a process that has no handler for this signal is what it does for SIGKILL.
            signal.setitimer(signal.ITIMER_PROF, random.uniform(0.05, 0.5))
        for told, _ in enumerate(variant(root, family).train(steps=ENDLESS, threads=1)):
            if gently and not told:
                signal.setitimer(signal.ITIMER_PROF, random.uniform(0.05, 0.3))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (0 if gently else -signal.SIGPROF)


def main(root: Path) -> None:
    ends, families = {}, tuple(json.loads(TRAININGS.read_text())["each"])
    # Elsewhere, begun and gone on from, so that what it imports is there and the others spend their lives training.
    for steps in (3, 6):
        train(variant(root.with_name("first"), families[0]), steps)
    for family in families:
        for gently in (True, False):
            interrupted(root, family, gently=gently)
        training = variant(root, family)
        state = training.workspace.store.load_training_state(training.name)
        # Killed before it kept anything, it begins anew.
        ends[family] = (0 if state is None else state.step) + 60
        train(training, ends[family])
    print(json.dumps(ends))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
