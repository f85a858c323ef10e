"""Forks trainings of one variant and kills each at a random moment, then lets one finish. Run by test_training.py."""

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

import pyarrow.parquet
import safetensors.torch
import torch._dynamo  # the optimizer imports it at its first step

from miscope.testing import tables
from miscope.workspace import open_workspace

# Imported before the forks, so that trainings spend their short lives training.
_ = (pyarrow.parquet, safetensors.torch, torch._dynamo)


ENDLESS = 10**9


def train(root: Path, steps: int, told: int | None = None) -> None:
    """Train the toy from wherever it is so far; write a byte to `told` whenever it tells something."""
    variant = open_workspace(root, tables()).variant("toy.sum", checkpoints="adaptive:3-20", batch_size=4)
    for _ in variant.train(steps=steps, threads=1):
        if told is not None:
            os.write(told, b"!")


def main(root: Path, rounds: int) -> None:
    """So many endless trainings, each killed, and one that ends 25 steps after the last saved state; prints where.

    Every other one is killed at a random moment of its work, however slow the machine; the others at any, their
    preparations included.
    """
    for number in range(rounds):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            train(root, ENDLESS, writer)
        if number % 2 == 0:
            for _ in range(random.randint(1, 9)):
                if select.select([reader], [], [], 60)[0]:
                    os.read(reader, 1)
        time.sleep(random.uniform(0.0, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
    workspace = open_workspace(root, tables())
    (name,) = workspace.store.variants()
    state = workspace.store.load_training_state(name)
    assert state is not None
    train(root, state.step + 25)
    print(state.step + 25)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
