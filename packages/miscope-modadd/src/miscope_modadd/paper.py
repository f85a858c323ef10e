"""Train the mainline run of Nanda et al. 2023 from scratch, analyze it, and draw it; about 20 minutes of one core.

python -m miscope_modadd.paper [--workspace paper-workspace] [--out docs/pictures]
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import miscope
from miscope_modadd.demo import first_above
from miscope_modadd.drawing import PICTURES, Picture, draw

if TYPE_CHECKING:
    from miscope.bound import BoundVariant

KEY_FREQUENCIES = (14, 35, 41, 42, 52)
"""Of the paper's own mainline run (its section 4)."""

LOSSES = (1.0, 1e-2, 1e-4, 1e-6)
"""Test losses whose crossing times are told."""


def main() -> None:
    """Go on from whatever is in the workspace."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=Path("paper-workspace"))
    parser.add_argument("--out", type=Path, help="folder for the figures; none are drawn without it")
    asked = parser.parse_args()
    variant = miscope.open(asked.workspace).variant("modadd.nanda2023", prime=113, seed=0)
    print(f"{variant.name}  in {variant.workspace.root}", flush=True)
    train(variant)
    print("Analyzing ...", flush=True)
    variant.analyze()
    for line in report(variant):
        print(line)
    if asked.out:
        for path in draw(variant, [*PICTURES, Picture("parameters.norms")], asked.out, prefix="paper-"):
            print(path)


def train(variant: BoundVariant) -> None:
    """To the end, with a line now and then."""
    for seen in variant.train(threads=1):
        if seen.checkpoint and seen.step % 500 == 0:
            left = f"{seen.eta / 60:.0f} min left" if seen.eta else ""
            losses = f"train {seen.metrics['train_loss']:.3g}  test {seen.metrics['test_loss']:.3g}"
            print(f"{seen.step:6d} of {seen.total}  {losses}  {left}", flush=True)
        elif seen.message:
            print(seen.message, flush=True)


def report(variant: BoundVariant) -> list[str]:
    """The key frequencies and the events of the run."""
    keys = key_frequencies(variant)
    same = "as in the paper" if keys == KEY_FREQUENCIES else f"the paper's are {KEY_FREQUENCIES}"
    lines = [f"key frequencies {', '.join(map(str, keys))}: {same}"]
    steps, losses = variant.metric("test_loss")
    lines += [f"test loss peaks at {losses.max():.2f}, epoch {steps[losses.argmax()]}"]
    lines += [f"test loss settles below {level:g}: {_epoch(_settled(steps, losses, level))}" for level in LOSSES]
    accuracies = [(level, first_above(variant, "test_accuracy", level)) for level in (0.5, 0.9, 0.99, 1.0)]
    return lines + [f"test accuracy first {level:g}: {_epoch(step)}" for level, step in accuracies]


def _settled(steps: np.ndarray, losses: np.ndarray, level: float) -> int | None:
    """First step from which on the loss stays below the level."""
    above = np.flatnonzero(losses >= level)
    first = above[-1] + 1 if len(above) else 0
    return int(steps[first]) if first < len(steps) else None


def _epoch(step: int | None) -> str:
    return "not yet" if step is None else f"epoch {step}"


def key_frequencies(variant: BoundVariant) -> tuple[int, ...]:
    """Frequencies that at least one neuron in fifty is about at the last checkpoint, ascending."""
    dominant = variant.arrays("neurons.frequencies", variant.steps[-1])["blocks.0.mlp.hook_post/dominant"]
    return tuple(sorted(int(k) for k, n in Counter(dominant.tolist()).items() if k and n >= len(dominant) / 50))


if __name__ == "__main__":
    main()
