"""Stages of training: where losses, margins and norms change their pace together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.observed.training import stages_observed
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.stages import METHODS, Cuts, Limits, agreed, cut, limits, scores, stability
from miscope.needs import Needs
from miscope.snapshot import Trajectory

_METRICS, _NORMS = "behaviour.metrics", "parameters.norms"
_PARTS = ("train", "test")
_LOGARITHMIC = ("loss", "entropy", "squares", "l1")


class StageOptions(Options):
    """How pace is measured, and how sure a change must be."""

    clock: Literal["auto", "linear", "log"] = "auto"
    """What pace is per: steps or log(1 + step); auto takes the one in which checkpoints are more evenly spaced."""
    least: Count = 4
    """Checkpoints that a stage has at least."""
    level: float = 0.05
    """Level of significance: the probability that a method cuts a random walk."""
    block: Count = 1
    """Checkpoints dealt out together in the null; more of them make a walk with momentum no stage."""
    within: Count = 2
    """Checkpoints by which methods that agree may differ."""
    methods: Count = 2
    """Methods that must agree."""
    draws: Count = 100
    """Shufflings of the null, and half as many draws of series for the intervals."""
    factors: tuple[float, ...] = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
    """Times the penalty at which the partition by the mean is computed again."""
    seed: Whole = 0


def change_points(trajectory: Trajectory[StageOptions]) -> Arrays:
    """Boundaries of stages found by at least two of three methods in the pace of losses, margins and norms.

    A stage is a stretch in which every series keeps its pace: its increments per time, as normal scores of their ranks.
    A random walk has none, whatever its increments: each method's limit is what it exceeds with probability `level`
    when the increments are shuffled. Boundaries carry the interval in which they lie when the series are drawn anew. A
    series whose pace drifts smoothly is cut where that is cheapest: stages are a summary, not events.
    """
    options, steps = trajectory.options, trajectory.steps
    if len(steps) < 3:
        reason = f"stages need 3 checkpoints, and it has {len(steps)}"
        raise DoesNotApply(reason)
    values = _series(trajectory.artifacts)
    clock = _clock(steps, options.clock)
    points = scores(np.stack(list(values.values()), axis=1), clock)
    held = _limits(points, options)
    cuts = cut(points, held, least=options.least)
    consensus = agreed(cuts.by, within=options.within, methods=options.methods)
    places = [at for at, _ in consensus]
    band, support = _intervals(points, held, places, options)
    return {
        "at": steps.astype(np.int64),
        "clock": np.array(["linear" if clock[1] == steps[1] else "log"]),
        "series": np.array(list(values)),
        "value": np.stack(list(values.values()), axis=1).astype(np.float32),
        "score": points.astype(np.float32),
        "method": np.array(METHODS),
        "boundary": _marked(cuts, len(steps)),
        "probability": cuts.probability.astype(np.float32),
        "consensus": steps[places].astype(np.int64),
        "votes": np.array([votes for _, votes in consensus], dtype=np.int64),
        "ci": steps[band].astype(np.int64).reshape(-1, 2),
        "support": support,
        "boundary_count": np.array(len(places)),
        "stage_count": np.array(len(places) + 1),
        "factor": np.array(options.factors),
        "stability": stability(points, held, options.factors, least=options.least),
        "limit": np.array([held.mean, held.distribution, held.online]),
    }


def _limits(points: np.ndarray, options: StageOptions) -> Limits:
    return limits(
        points, least=options.least, level=options.level, draws=options.draws, seed=options.seed, block=options.block
    )


def _series(artifacts: Mapping[str, Arrays]) -> dict[str, np.ndarray]:
    """Every series that is finite throughout, the logarithm of those that are never negative."""
    metrics, norms = artifacts[_METRICS], artifacts[_NORMS]
    parts = [part for part in _PARTS if f"{part}_loss" in metrics] or ["all"]
    series = {
        f"{part} {what.replace('_mean', '')}": np.asarray(metrics[f"{part}_{what}"], dtype=np.float64)
        for what in ("loss", "accuracy", "entropy", "margin_mean")
        for part in parts
    }
    series |= {f"weights {what}": np.asarray(norms[f"total/{what}"], dtype=np.float64) for what in ("squares", "l1")}
    scaled = {
        name: np.log(np.maximum(values, 1e-30)) if name.split()[-1] in _LOGARITHMIC else values
        for name, values in series.items()
    }
    return {name: values for name, values in scaled.items() if np.isfinite(values).all()}


def _clock(steps: np.ndarray, wanted: str) -> np.ndarray:
    linear, log = steps.astype(np.float64), np.log1p(steps)
    if wanted != "auto":
        return linear if wanted == "linear" else log
    return min((linear, log), key=lambda clock: float(np.std(np.diff(clock)) / np.mean(np.diff(clock))))


def _marked(cuts: Cuts, count: int) -> np.ndarray:
    marked = np.zeros((len(METHODS), count), dtype=bool)
    for row, name in zip(marked, METHODS, strict=True):
        row[cuts.by[name]] = True
    return marked


def _intervals(
    points: np.ndarray, held: Limits, places: list[int], options: StageOptions
) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) places between which 95 % of the cuts nearest to each boundary lie with series drawn anew, and the
    share of draws that have one."""
    random = np.random.default_rng(options.seed)
    near: list[list[int]] = [[at] for at in places]
    hits = np.zeros(len(places))
    draws = max(1, options.draws // 2)
    for _ in range(draws if places else 0):
        chosen = points[:, random.integers(points.shape[1], size=points.shape[1])]
        by = cut(chosen, held, least=options.least).by
        everywhere = np.array(sorted({at for cuts in by.values() for at in cuts}), dtype=int)
        for i, at in enumerate(places):
            gap = np.abs(everywhere - at)
            if len(gap) and gap.min() <= 3 * options.within:
                near[i].append(int(everywhere[gap.argmin()]))
                hits[i] += 1
    band = [np.percentile(each, (2.5, 97.5), method="nearest").astype(int) for each in near]
    return np.array(band, dtype=int).reshape(-1, 2), hits / draws


CHANGE_POINTS = Analyzer(
    name="stages.change_points",
    version=1,
    grain=Grain.TRAJECTORY,
    synonyms=("phase transition", "segmentation"),
    compute=change_points,
    observe=stages_observed,
    needs=Needs(reads=(_METRICS, _NORMS)),
    options=StageOptions,
    not_invariant_to=("residual rotation", "relu scaling", "token relabelling"),
    question="How many stages has this training, where are their boundaries, and do methods agree?",
    formula="min over cuts of sum |s - mean of its stage|^2 + beta per cut; s: normal scores of pace",
    source="Killick et al. 2012; Harchaoui & Cappe 2007; Adams & MacKay 2007 (arXiv 0710.3742)",
    outputs={
        "at": "(T,) steps of the checkpoints",
        "clock": "(1,) what pace is per: linear or log",
        "series": "(m,) names of the series",
        "value": "(T, m) the series; logarithms of losses, entropies and norms",
        "score": "(T-1, m) normal scores of their pace",
        "method": "(3,) names of the methods",
        "boundary": "(3, T) first checkpoint of each stage but the first, by method",
        "probability": "(T-1,) probability that a stage begins, of the online method",
        "consensus": "(K,) steps of the boundaries on which methods agree",
        "votes": "(K,) methods that agree on each",
        "ci": "(K, 2) steps between which 95 % of the boundaries lie with series drawn anew",
        "support": "(K,) share of those draws that have the boundary",
        "boundary_count": "() boundaries agreed on",
        "stage_count": "() one more",
        "factor": "(F,) times the penalty",
        "stability": "(F, T-1) where the partition by the mean is cut at each",
        "limit": "(3,) what each method must exceed",
    },
)
