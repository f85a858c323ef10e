"""Which units of a layer answer, to how many inputs, and how often their signs still change."""

from __future__ import annotations

import itertools

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.activity import activity, flip_error, flip_rate, packed_signs
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

SITES = "blocks.*hook_z|blocks.*_post"
"""Sites 'hook_z', 'hook_post' and 'hook_resid_post' by one pattern: which of them there are depends on the family."""


class StatisticsOptions(Options):
    """When a unit answers, and which channels stick out."""

    threshold: float = 0.0
    """Size of an activation above which the unit is active."""
    outlier: float = 6.0
    """Times the median root mean square, from which a unit is an outlier channel."""
    signs: Count = 256
    """Inputs, evenly spread over the probe, whose signs are kept to count flips between checkpoints."""


def statistics(snapshot: Snapshot[StatisticsOptions]) -> Arrays:
    """Mean, spread, sparsity and kurtosis of every unit over the probe; how many are dead or always on.

    A unit is dead that is active on no input of the probe, always on if on all of them. At the answer position.
    """
    options = snapshot.options
    rows = evenly_spaced(len(snapshot.probe.inputs), options.signs)
    outputs: dict[str, np.ndarray] = {"inputs": np.array(len(rows))}
    for site, activation in snapshot.activations.items():
        units = activation.flatten(1)
        measured = activity(units, options.threshold)
        power = np.sqrt(measured.mean**2 + measured.std**2)
        live = measured.active > 0
        per_unit = {name: getattr(measured, name) for name in ("mean", "std", "active", "sparsity", "kurtosis")}
        scalars = {
            "dead_count": int((~live).sum()),
            "dead_share": float((~live).mean()),
            "constant_share": float((measured.std == 0).mean()),
            "always_on_share": float((measured.active == 1).mean()),
            "mean_active": float(measured.active.mean()),
            "mean_sparsity": _mean(measured.sparsity),
            "median_kurtosis": float(np.median(k)) if len(k := _finite(measured.kurtosis)) else np.nan,
            "outlier_count": int((power > options.outlier * np.median(power)).sum()),
        }
        stored = {name: array.astype(np.float32) for name, array in per_unit.items()}
        stored |= {name: np.array(value) for name, value in scalars.items()}
        stored["signs"] = packed_signs(units[torch.from_numpy(rows)])
        outputs |= {f"{site}/{name}": array for name, array in stored.items()}
    return outputs


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _mean(values: np.ndarray) -> float:
    finite = _finite(values)
    return float(finite.mean()) if len(finite) else np.nan


STATISTICS = Analyzer(
    name="units.statistics",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("dead ReLU", "dead neurons"),
    compute=statistics,
    needs=Needs(sites=(SITES,)),
    options=StatisticsOptions,
    not_invariant_to=("residual rotation", "relu scaling"),
    question="Which units are dead, which are always on, and how sparse are the others?",
    formula="dead: |x| <= threshold on every input; sparsity = (1 - E|x|^2 / E x^2) / (1 - 1/N)",
    source="Vinje & Gallant 2000, 'Sparse coding and decorrelation in primary visual cortex', note 14",
    outputs={
        "inputs": "() inputs whose signs are kept",
        "SITE/mean": "(M,) float32, mean activation of each unit over the probe",
        "SITE/std": "(M,) float32, its standard deviation",
        "SITE/active": "(M,) float32, share of inputs on which it is active",
        "SITE/sparsity": "(M,) float32, 0 for one answer to all inputs, 1 for an answer to one; NaN for a silent one",
        "SITE/kurtosis": "(M,) float32, excess kurtosis over the probe; NaN for a constant one",
        "SITE/dead_count": "() units active on no input",
        "SITE/dead_share": "() share of such units",
        "SITE/constant_share": "() share of units that answer all inputs alike",
        "SITE/always_on_share": "() share of units active on every input",
        "SITE/mean_active": "() mean over units of the share of inputs on which they are active",
        "SITE/mean_sparsity": "() mean sparsity of units that are not silent",
        "SITE/median_kurtosis": "() median excess kurtosis of units that are not constant",
        "SITE/outlier_count": "() units whose root mean square is many times the median's",
        "SITE/signs": "(M, bytes) uint8, whether each unit is above 0 on each of the kept inputs, packed",
    },
)


def flips(trajectory: Trajectory) -> Arrays:
    """How often units change sign on the same input from one checkpoint to the next.

    Divided by nothing: over a wider gap between checkpoints more signs change.
    """
    arrays, steps = trajectory.artifacts["units.statistics"], trajectory.steps
    if len(steps) < 2:
        reason = f"a change needs 2 checkpoints, and it has {len(steps)}"
        raise DoesNotApply(reason)
    inputs = int(np.ravel(arrays["inputs"])[0])
    outputs: dict[str, np.ndarray] = {"later": steps[1:].copy()}
    for site in sorted(name.removesuffix("/signs") for name in arrays if name.endswith("/signs")):
        signs = np.asarray(arrays[f"{site}/signs"])
        rate = np.stack([flip_rate(a, b, inputs) for a, b in itertools.pairwise(signs)])
        start = np.stack([flip_rate(signs[0], now, inputs) for now in signs])
        outputs[f"{site}/rate"] = rate.mean(axis=1)
        outputs[f"{site}/rate_sem"] = np.array([flip_error(a, b, inputs) for a, b in itertools.pairwise(signs)])
        outputs[f"{site}/quantile"] = np.quantile(rate, (0.1, 0.5, 0.9), axis=1)
        outputs[f"{site}/from_start"] = start.mean(axis=1)
    return outputs


FLIPS = Analyzer(
    name="units.flips",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=flips,
    needs=Needs(reads=("units.statistics",)),
    not_invariant_to=("residual rotation",),
    question="Until when do units still switch on and off on the same inputs?",
    formula="mean over units and inputs of [sign of x at t differs from sign of x at the checkpoint before]",
    source="ReLU flip rate; compare Hanin & Rolnick 2019, 'Complexity of linear regions' (arXiv 1901.09021)",
    outputs={
        "later": "(T-1,) the later step of each two checkpoints",
        "SITE/rate": "(T-1,) share of units and inputs whose sign changed between them",
        "SITE/rate_sem": "(T-1,) its standard error over the inputs whose signs are kept",
        "SITE/quantile": "(3, T-1) 10, 50 and 90 % of units",
        "SITE/from_start": "(T,) share whose sign differs from the first checkpoint's",
    },
)
