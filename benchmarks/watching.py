"""What each instrument costs that is computed at a logged epoch of Least Action Learning, and all of them together.

python benchmarks/watching.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from typing import Any

from epochs import cpu_seconds, epochs_of, trainer_of

FRACTION_BY_PRIME = {17: 0.5, 113: 0.3}
NAMES = (
    "representation.norm", "smoothness.spectrum", "sensitivity.jacobian", "sensitivity.input_hessian",
    "parameters.norms", "parameters.layers", "optimizer.moments", "curvature.gradient", "curvature.trace",
    "curvature.fisher",
)  # fmt: skip
"""Those of the seed's log line and of its table of a run."""


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    costs = {prime: measured(prime, asked.rounds) for prime in FRACTION_BY_PRIME}
    names = ["an epoch without", *NAMES, "all together"]
    rows = [
        {"what": name, **{f"p = {prime}, ms": each[name] for prime, each in costs.items() if name in each}}
        for name in names
    ]
    note = (
        f"lal.transformer, 2 layers of 128; CPU time on one thread, medians of {asked.rounds}, each by itself and then "
        "all in one look, which shares forward passes. Watching at every hundredth epoch adds a hundredth."
    )
    print(json.dumps({"title": "What a logged epoch costs", "rows": rows, "notes": [note]}))


def measured(prime: int, rounds: int) -> dict[str, float]:
    """CPU milliseconds by name."""
    from miscope.plugins.plugins import Plugins
    from miscope.training.watching import watcher_of
    from miscope.workspace import open_workspace

    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, plugins=Plugins.installed())
        variant = workspace.variant("lal.transformer", prime=prime, train_fraction=FRACTION_BY_PRIME[prime])
        context = workspace.context(variant)
        trainer = trainer_of(variant, context.task, lambda: context.model)
        epoch = epochs_of(trainer)
        # After two updates the optimizer remembers something.
        epoch()
        epoch()
        costs = {"an epoch without": median(epoch, rounds)}
        for name in (*NAMES, "all together"):
            watched = NAMES if name == "all together" else (name,)
            watcher = watcher_of(workspace, variant, watched)
            costs[name] = median(lambda watcher=watcher: watcher.measure(2, trainer, kept=True), rounds)
    return costs


def median(once: Any, rounds: int) -> float:
    """CPU milliseconds of one call, after one that does not count."""
    once()
    return 1e3 * statistics.median(cpu_seconds(once) for _ in range(rounds))


if __name__ == "__main__":
    main()
