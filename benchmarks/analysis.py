"""Analysis: checkpoints a second of the instruments together at p = 113, and milliseconds of the first of them.

Weights are those of the initialisation; no instrument's work depends on what the weights are. One thread, CPU time.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from epochs import cpu_seconds

from miscope.analysis.analyze import analyze
from miscope.analysis.job import Job
from miscope.analysis.perform import Portable, perform
from miscope.analyzer import Grain
from miscope.bound import BoundVariant, open_bound
from miscope.checkpoint import Checkpoint
from miscope.outcome import Outcome, State

FAMILY = "modadd.transformer"
CHECKPOINTS = 24
REPEATS = 7
FIRST = ("behaviour.metrics", "parameters.norms", "spectra.embedding", "neurons.frequencies", "attention.patterns")
"""The spine: what every variant is looked at with."""

LIMIT = 0.5
"""Seconds of CPU a checkpoint that the spine may take."""


def main() -> None:
    """Print one JSON object."""
    torch.set_num_threads(1)
    with variant_with_checkpoints() as variant:
        whole = {
            "behaviour, norms, embedding, neurons and attention together": together(variant, FIRST),
            "all of checkpoint grain together": together(variant, names(variant, Grain.CHECKPOINT)),
        }
        alone = {name: one(variant, name) for name in FIRST}
        artifacts = Path(variant.workspace.root).rglob("step_*.npz")
        size = sum(path.stat().st_size for path in artifacts) / CHECKPOINTS
    print(json.dumps(report(whole, alone, size), indent=1))


@contextmanager
def variant_with_checkpoints() -> Iterator[BoundVariant]:
    with tempfile.TemporaryDirectory(prefix="miscope-bench-") as folder:
        workspace = open_bound(folder)
        variant = workspace.variant(FAMILY, prime=113, seed=999, data_seed=598)
        workspace.store.save_variant(variant.value)
        task = workspace.value.context(variant.value).task
        assert task is not None
        weights = task.initial_weights()
        for step in range(CHECKPOINTS):
            grown = {role: tensor * (1 + 0.01 * step) for role, tensor in weights.items()}
            workspace.store.save_checkpoint(variant.name, Checkpoint(step=step, weights=grown))
        yield variant


def names(variant: BoundVariant, grain: Grain) -> list[str]:
    """Core's own analyzers of that grain, without the heavy ones."""
    plugins = variant.workspace.plugins
    core = {
        name
        for kind, name in plugins.provided_by
        if kind == "analyzer" and plugins.provided_by[kind, name].plugin == "core"
    }
    return [
        n for n, analyzer in plugins.analyzers.items() if n in core and analyzer.grain is grain and not analyzer.opt_in
    ]


def together(variant: BoundVariant, chosen: Sequence[str]) -> float:
    """Median CPU seconds of a checkpoint with these analyzers, loading and saving included."""
    seconds, before = [], time.process_time()
    for outcome in checked(analyze(variant.workspace.value, [variant.value], chosen, force=True)):
        now = time.process_time()
        if outcome.state is State.SAVED:
            seconds.append(now - before)
        before = now
    return statistics.median(seconds)


def one(variant: BoundVariant, name: str) -> float:
    """Median CPU seconds of one analyzer's own look."""
    step = None if variant.workspace.plugins.analyzer(name).grain is Grain.TRAJECTORY else 0
    task = Job(variant=variant.name, step=step, analyzers=(name,), steps=tuple(variant.steps))
    place = Portable(variant.workspace.value)
    return statistics.median(cpu_seconds(lambda: list(checked(iter(perform(place, task))))) for _ in range(REPEATS))


def checked(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        if outcome.state in (State.FAILED, State.NOT_TRIED):
            raise SystemExit(f"{outcome.analyzers}: {outcome.error}\n{outcome.trace}")
        yield outcome


def report(whole: Mapping[str, float], alone: Mapping[str, float], size: float) -> Mapping[str, object]:
    rows = [{"what": what, "ms": ms(seconds), "per second": round(1 / seconds, 2)} for what, seconds in whole.items()]
    rows += [{"what": f"{name}, a look of its own", "ms": ms(seconds)} for name, seconds in alone.items()]
    notes = [
        f"{FAMILY} at p = 113, one thread, CPU time, median of {CHECKPOINTS} checkpoints (of {REPEATS} looks alone), "
        "loading the weights and saving the arrays included.",
        f"Together they share one forward pass, so they take less than the sum; the first line's limit is "
        f"{ms(LIMIT):.0f} ms.",
        f"They leave {size / 2**20:.2f} MiB a checkpoint.",
    ]
    return {"title": "Analysis", "rows": rows, "notes": notes}


def ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)


if __name__ == "__main__":
    main()
