"""How long a figure takes from files to Plotly: load and draw, for every installed view at p = 113.

    python benchmarks/figures.py [--small]

Prints one JSON object. The numbers in the files do not matter here, their size does: checkpoints are the first weights
moved along one direction, with a little noise, and the metrics are curves of the usual length.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from miscope.bound import BoundVariant, BoundWorkspace
    from miscope.view import View


@dataclass(frozen=True)
class Size:
    """How much there is."""

    prime: int = 113
    checkpoints: int = 100
    steps: int = 25_000
    repeats: int = 25


def main() -> None:
    """Build a workspace, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of it, to see that it runs")
    small = parser.parse_args().small
    size = Size(prime=23, checkpoints=10, steps=1000, repeats=4) if small else Size()
    root = Path(tempfile.mkdtemp(prefix="miscope-bench-"))
    try:
        print(json.dumps(measure(root, size)))
    finally:
        shutil.rmtree(root)


def measure(root: Path, size: Size) -> dict[str, object]:
    """Milliseconds of every view that applies; a view of one checkpoint is asked for another each time."""
    import torch

    import miscope
    from miscope.errors import DoesNotApply, NoArtifact

    torch.set_num_threads(1)
    workspace = miscope.open(root)
    variants = [grow(workspace, seed, size) for seed in (0, 1)]
    for _ in variants[0].analyze():
        pass
    rows = []
    for name, view in sorted(workspace.plugins.views.items()):
        try:
            rows.append({"view": name, **timed(workspace, view, variants, size.repeats)})
        except (DoesNotApply, NoArtifact) as error:
            print(error, file=sys.stderr)
    notes = [
        f"p = {size.prime}, {size.checkpoints} checkpoints, {size.steps:,} steps of metrics, one thread; "
        f"{size.repeats} figures a view. Aim: a median of at most 50 ms.",
        "A view of one checkpoint is asked for another checkpoint each time, so that no figure's data was read before. "
        "`first` holds what is read once: stacks over training, metrics.",
    ]
    return {"title": "Figures: load and draw", "rows": rows, "notes": notes}


def timed(workspace: BoundWorkspace, view: View, variants: Sequence[BoundVariant], repeats: int) -> dict[str, float]:
    """Milliseconds of wall time, and of CPU time, which other work on the machine does not stretch."""
    from miscope.analyzer import Grain
    from miscope.figures.render import render

    values = [variant.value for variant in variants]
    shown = values if view.grain is Grain.COHORT else values[0]
    steps = variants[0].steps
    wall, cpu = [], []
    for i in range(repeats + 1):
        step = steps[(i * 7) % len(steps)] if view.grain is Grain.CHECKPOINT else None
        began, used = time.perf_counter(), time.process_time()
        render(workspace.value, view, shown, step=step)
        wall.append(1e3 * (time.perf_counter() - began))
        cpu.append(1e3 * (time.process_time() - used))
    return {
        "median ms": round(statistics.median(wall[1:]), 1),
        "worst ms": round(max(wall[1:]), 1),
        "CPU median ms": round(statistics.median(cpu[1:]), 1),
        "first ms": round(wall[0], 1),
    }


def grow(workspace: BoundWorkspace, seed: int, size: Size) -> BoundVariant:
    """A variant with checkpoints and metrics that were made, not trained."""
    import torch

    from miscope import Checkpoint

    variant = workspace.variant("modadd.transformer", prime=size.prime, seed=seed)
    workspace.store.save_variant(variant.value)
    task = workspace.value.context(variant.value).task
    assert task is not None
    first, noise = task.initial_weights(), torch.Generator().manual_seed(seed)
    towards = {name: torch.randn(w.shape, generator=noise) * w.std() for name, w in first.items()}
    for step in np.linspace(0, size.steps, size.checkpoints, dtype=int).tolist():
        share = step / size.steps
        weights = {
            name: (1 - share) * w + share * towards[name] + 0.01 * w.std() * torch.randn(w.shape, generator=noise)
            for name, w in first.items()
        }
        workspace.store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights))
    step = np.arange(size.steps + 1)
    curves = {
        "train_loss": 5 * np.exp(-step / 200) + 1e-7,
        "test_loss": 5 / (1 + np.exp((step - 0.6 * size.steps) / 500)) + 1e-6,
        "train_accuracy": 1 - np.exp(-step / 200),
        "test_accuracy": 1 / (1 + np.exp((0.6 * size.steps - step) / 500)),
    }
    rows = [(int(s), name, float(v)) for name, values in curves.items() for s, v in zip(step, values, strict=True)]
    workspace.store.append_metrics(variant.name, rows)
    return variant


if __name__ == "__main__":
    main()
