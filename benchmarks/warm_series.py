"""Autoencoders of every checkpoint of a training: each anew, or each from the weights of the one before (`--warm`).

Both are trained by `train()`, files and all, in turns on one thread, with the updates that miscope gives them by
default.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from epochs import cpu_seconds

WIDTH, FEATURES, CHECKPOINTS, INPUTS = 32, 64, 5, 8192
FIELDS: dict[str, Any] = {"latents": 2 * FEATURES, "batch_size": 512}
ARCHITECTURES: dict[str, dict[str, Any]] = {"standard": {}, "topk": {"k": 4}}


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = [row for name in asked.only for row in compared(name)]
    notes = [
        f"{CHECKPOINTS} checkpoints of sae.known-births, {FEATURES} features in {WIDTH} numbers, {INPUTS:,} inputs, "
        f"{FIELDS['batch_size']} an update; {FIELDS['latents']} latents; CPU time of train(), files and all, one "
        "thread. FVU: share of the variance that is left of inputs held out, mean over checkpoints."
    ]
    print(json.dumps({"title": "A series of autoencoders, each anew or warm", "rows": rows, "notes": notes}))


def compared(name: str) -> list[dict[str, Any]]:
    """A row of each way."""
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.testing import tables
    from miscope_sae import autoencoders

    with tempfile.TemporaryDirectory() as folder:
        place = open_bound(Path(folder), tables(sae=miscope_sae))
        sizes = {"width": WIDTH, "features": FEATURES, "present": FEATURES // 2}
        source = place.variant("sae.known-births", inputs=INPUTS, checkpoints=CHECKPOINTS, **sizes)
        fields = FIELDS | ARCHITECTURES[name]
        make = partial(autoencoders, source, "hook_embed", step="all", architecture=name, **fields)
        # Another seed, or the first of the warm series would be the first of the other.
        series = {"each anew": make(seed=1), "warm": make(seed=2, warm="forward")}
        taken = dict.fromkeys(series, 0.0)
        for several in zip(*series.values(), strict=True):
            for way, one in zip(series, several, strict=True):
                taken[way] += cpu_seconds(lambda one=one: list(one.train(threads=1)))
        return [row(name, way, series[way], taken[way]) for way in series]


def row(name: str, way: str, series: Sequence[Any], seconds: float) -> dict[str, Any]:
    """Updates, CPU time and what is left."""
    left = [one.metric("test_fvu")[1][-1] for one in series]
    return {
        "architecture": name,
        "series": way,
        "updates": sum(one.value.training.steps for one in series),
        "CPU s": seconds,
        "FVU": float(sum(left) / len(left)),
    }


if __name__ == "__main__":
    main()
