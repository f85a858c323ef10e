"""In what order things happen in several variants, and in what order they learn their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain
from miscope.analyzers.cohort_endings import CohortOptions, variants_of
from miscope.artifact import Arrays
from miscope.maths.agreement import mean_over_pairs
from miscope.maths.concordance import concordance, null_concordance, precedence
from miscope.maths.learnt import definitions, step_by, words
from miscope.needs import Needs
from miscope.probe import Probe
from miscope.snapshot import Cohort, Trajectory

_GROKKING, _WINDOWS, _LEARNING = "events.grokking", "summary.windows", "learning.order"
_CROSSING = "/rank_crossing"

MILESTONES = ("memorised", "peak", "half", "generalised")
"""Events whose order is not settled by how they are defined, as that of the levels of one fall is."""


def order(cohort: Cohort[CohortOptions]) -> Arrays:
    """Whether the milestones of training come in the same order in every variant, beside shuffled orders.

    Memorisation, the peak of the test loss, half of its fall, generalisation, and the crossing of each MLP's ranks.
    What did not happen in a variant comes after all that did; what happened in none has no place in the order.
    """
    options = cohort.options
    names, times = _milestones(cohort)
    read = [member.artifacts[_GROKKING] for member in cohort.members]
    texts = words(read, definitions(read))
    happened = np.isfinite(times).any(axis=0)
    before = np.where(np.outer(happened, happened), precedence(times), np.nan)
    agreed, null = np.nan, np.full(1, np.nan)
    if happened.sum() > 1:
        agreed = concordance(times[:, happened])
        null = null_concordance(times[:, happened], draws=options.draws, seed=options.seed)
    return {
        "variant": variants_of(cohort),
        **{f"{event}/definition": np.array([definition]) for event, definition in texts.items()},
        "milestone": names,
        "at": np.where(np.isfinite(times), times, np.nan),
        "before": before,
        "concordance": np.array(agreed),
        "concordance_null": np.array([null.mean(), *np.quantile(null, (0.025, 0.975))]),
        "p_value": np.array((1 + (null >= agreed - 1e-9).sum()) / (1 + len(null)) if happened.sum() > 1 else np.nan),
    }


def _milestones(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Names (E,), and the step of each in each member (n, E), infinite where it did not happen."""
    chosen = definitions([member.artifacts[_GROKKING] for member in cohort.members])
    reached = [_reached(member, chosen) for member in cohort.members]
    names = list(dict.fromkeys(name for each in reached for name in each))
    times = np.array([[each.get(name, np.nan) for name in names] for each in reached])
    return np.array(names), np.where(np.isfinite(times), times, np.inf)


def _reached(member: Trajectory, chosen: Mapping[str, str]) -> dict[str, float]:
    events, windows = member.artifacts[_GROKKING], member.artifacts[_WINDOWS]
    steps = {name: float(step_by(events, name, chosen)) for name in MILESTONES}
    crossed = [name for name in windows if name.endswith(_CROSSING)]
    return steps | {f"{name.removesuffix(_CROSSING)} ranks cross": float(windows[name]) for name in crossed}


ORDER = Analyzer(
    name="cohort.order",
    version=3,
    grain=Grain.COHORT,
    compute=order,
    needs=Needs(reads=(_GROKKING, _WINDOWS)),
    options=CohortOptions,
    question="Do the milestones of training come in the same order in every variant?",
    formula="W = 12 sum over items of (R_j - mean R)^2 / (m^2 (n^3 - n) - m sum of (t^3 - t)), R_j: summed ranks",
    source="Kendall & Babington Smith 1939; PolyPythias (arXiv 2503.09543) for orders over seeds",
    outputs={
        "variant": "(n,) names",
        "milestone": "(E,) names",
        "EVENT/definition": "(1,) by what a milestone that can be dated in two ways is dated, in all of them",
        "at": "(n, E) step of each; NaN where it was not reached",
        "before": "(E, E) share of variants in which the milestone of the row comes before that of the column; "
        "NaN for one that none reached",
        "concordance": "() Kendall's W of those reached: 1 for the same order in all, 0 for none in common; NaN of one",
        "concordance_null": "(3,) mean, 2.5 and 97.5 % of W with the order in every variant shuffled",
        "p_value": "() share of shuffled orders that agree at least as far",
    },
)


class LearningOptions(CohortOptions):
    """Which inputs are compared."""

    rows: Count = 2000
    """Inputs at most, of which none is another's image under a symmetry."""
    draws: Count = 100
    """Draws of inputs for the intervals."""


def learning(cohort: Cohort[LearningOptions]) -> Arrays:
    """Whether variants learn their inputs in the same order: Kendall's tau of the steps of learning, by pairs.

    Training inputs are those in both training sets, test inputs those in neither; clean are those of which no image
    under a symmetry is in either, since two variants that share their data also share what the symmetry gives away.
    Inputs never learnt come last, tied. An input and its image count once, so that the intervals, by bootstrap over
    inputs, are honest.
    """
    options = cohort.options
    learnt = [_learnt(member) for member in cohort.members]
    count = len(learnt)
    outputs: dict[str, np.ndarray] = {"variant": variants_of(cohort)}
    probes = [member.probe for member in cohort.members]
    split = ("train", "test", *(["clean"] if probes[0].symmetries else []))
    for part in ("all",) if any(probe.train is None for probe in probes) else split:
        tau, interval = np.eye(count), np.full((count, count, 2), np.nan)
        for i, j in combinations(range(count), 2):
            rows = _shared((probes[i], probes[j]), part, options)
            tau[i, j], interval[i, j] = _agreement(learnt[i][rows], learnt[j][rows], options)
            tau[j, i], interval[j, i] = tau[i, j], interval[i, j]
        mean = mean_over_pairs(tau)
        outputs |= {f"{part}/tau": tau, f"{part}/interval": interval, f"{part}/mean_tau": np.array(mean)}
    return outputs


def _learnt(member: Trajectory) -> np.ndarray:
    arrays = member.artifacts[_LEARNING]
    steps = np.asarray(arrays[f"graduation/{int(arrays['window'])}"], dtype=np.float64)
    return np.where(np.isnan(steps), np.inf, steps)


def _shared(pair: tuple[Probe, Probe], part: str, options: LearningOptions) -> np.ndarray:
    """Rows of a part of both members, one of each orbit under the symmetries, as many as are compared."""
    images = [np.arange(len(pair[0].inputs)), *pair[0].symmetries.values()]
    inside = np.ones(len(images[0]), dtype=bool)
    for probe in pair:
        if probe.train is not None and part != "all":
            inside &= probe.train if part == "train" else ~probe.train
            inside &= ~np.any([probe.train[image] for image in images], axis=0) if part == "clean" else True
    rows = np.flatnonzero(inside)
    _, once = np.unique(np.minimum.reduce([image[rows] for image in images]), return_index=True)
    return np.sort(np.random.default_rng(options.seed).permutation(rows[once])[: options.rows])


def _agreement(first: np.ndarray, second: np.ndarray, options: LearningOptions) -> tuple[float, np.ndarray]:
    """Kendall's tau-b and its 95 % interval; NaN where one learnt all of them at once."""
    tau = _tau(first, second) if len(first) > 2 else np.nan
    if np.isnan(tau):
        return tau, np.full(2, np.nan)
    random = np.random.default_rng(options.seed)
    chosen = random.integers(len(first), size=(options.draws, len(first)))
    return tau, np.nanquantile([tau, *(_tau(first[rows], second[rows]) for rows in chosen)], (0.025, 0.975))


def _tau(first: np.ndarray, second: np.ndarray) -> float:
    # Ranks, since infinite times have no difference.
    from scipy.stats import kendalltau

    ranks = (np.unique(each, return_inverse=True)[1] for each in (first, second))
    result: Any = kendalltau(*ranks)
    return float(result.statistic)


LEARNING = Analyzer(
    name="cohort.learning",
    version=1,
    grain=Grain.COHORT,
    compute=learning,
    needs=Needs(reads=(_LEARNING,), labels=True, same_probe=True),
    options=LearningOptions,
    question="Do these variants learn their inputs in the same order?",
    formula="tau_b = (concordant - discordant) / sqrt((pairs - ties in the first) (pairs - ties in the second))",
    source="Kendall 1945; the order of examples over seeds: Toneva et al. 2019 (arXiv 1812.05159), Baldock et al. 2021",
    outputs={
        "variant": "(n,) names",
        "PART/tau": "(n, n) Kendall's tau-b of the steps at which inputs are learnt: 1 the same order, 0 expected at "
        "random; NaN where all are learnt at once. PART is train (in both training sets), test (in neither), clean "
        "(nor any image) or all",
        "PART/interval": "(n, n, 2) its 95 % interval by bootstrap over inputs; NaN on the diagonal",
        "PART/mean_tau": "() mean over pairs",
    },
)
