"""How good the set of frequencies is that a network computes with: the margin an ideal clock would have with it."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope_modadd.analyzers.clock_margin import best_margin, canonical, margin, margins_at_random

_KEYS, _LOGITS = "keys.votes", "factors.shares"


class MarginOptions(Options):
    """The null, and how far the best set is searched for."""

    draws: Count = 2000
    """Sets of as many frequencies drawn at random."""
    seed: Whole = 0
    sets: Count = 500_000
    """Sets tried for the best margin; beyond that it is NaN."""


def margins(snapshot: Snapshot[MarginOptions]) -> Arrays:
    """Margin of the ideal clock with the key frequencies found at this checkpoint, beside the best and random sets.

    With equal amplitudes: min over wrong answers r away of sum_k (1 - cos 2 pi k r / p); and with amplitudes in
    proportion to those of the logits' own cosines, their mean 1. The best set of as many frequencies is found by trying
    all. What a frequency is worth is what the margin loses without it. There is no verdict on single frequencies
    ("aliasing" of high ones): multiplying all by a unit modulo p permutes the answers and leaves everything else as it
    is, so no k is better than another; only sets differ, up to that symmetry, of which `canonical` is the first image.
    NaN without a key frequency.
    """
    options, keys = snapshot.options, snapshot.artifacts[_KEYS]
    p = snapshot.probe.shape[0]
    chosen = np.flatnonzero(keys["key"])
    frequencies = keys["label"][chosen].astype(int).tolist()
    count, size = len(frequencies), len(keys["label"])
    amplitude = np.sqrt(snapshot.artifacts[_LOGITS]["logits/own_answer"].clip(min=0))
    lost = np.full(size, np.nan)
    whole = best = weighted = rank = np.nan
    if count:
        whole, best = margin(frequencies, p), best_margin(count, p, options.sets)
        lost[chosen] = [whole - margin([k for k in frequencies if k != one], p) for one in frequencies]
        drawn = margins_at_random(count, p, options.draws, options.seed)
        rank = float(np.searchsorted(drawn, whole - 1e-9) / len(drawn))
        if (mean := amplitude[chosen].mean()) > 0:
            weighted = margin(frequencies, p, amplitude[chosen] / mean)
    return {
        "label": keys["label"],
        "key": keys["key"],
        "canonical": np.isin(np.arange(1, size + 1), canonical(frequencies, p)),
        "quality": lost,
        "amplitude": amplitude.astype(np.float32),
        "count": np.array(count),
        "margin": np.array(whole),
        "weighted_margin": np.array(weighted),
        "best_margin": np.array(best),
        "distance": np.array((2 * whole) ** 0.5),
        "best_distance": np.array((2 * best) ** 0.5),
        "rank": np.array(rank),
        "null": _null(count, p, options),
    }


def margins_observed(seen: ObservedArtifact) -> list[Observation]:
    """The margin of its key frequencies beside those of random sets of as many."""
    arrays = seen.arrays
    margin, rank, (low, _, high) = float(arrays["margin"]), float(arrays["rank"]), arrays["null"]
    if not np.isfinite([margin, rank, low, high]).all():
        return []
    count = int(arrays["count"])
    place = "above" if margin > high else "below" if margin < low else "within"
    text = f"The margin of its {count} key frequencies at equal amplitudes is {margin:.3g}, {place} what 95 %"
    null = f"of random sets of as many have ({low:.3g} to {high:.3g}; {100 * rank:.3g} % of them have less)."
    return [Observation(text=f"{text} {null}", value=margin)]


def _null(count: int, p: int, options: MarginOptions) -> np.ndarray:
    if not count:
        return np.full(3, np.nan)
    return np.percentile(margins_at_random(count, p, options.draws, options.seed), (2.5, 50, 97.5))


MARGINS = Analyzer(
    name="viability.margins",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=margins,
    observe=margins_observed,
    needs=Needs(
        reads=(_KEYS, _LOGITS), columns=("a", "b", "sum"), bases=("sum",), grid=2, labels=True, answer_basis=True
    ),
    options=MarginOptions,
    question="Could an ideal clock with these frequencies tell all answers apart, and how much better could others?",
    formula="m(F) = min over r != 0 of sum over k in F of a_k (1 - cos 2 pi k r / p)",
    source="Nanda et al. 2023, section 4; Gromov 2023 (arXiv 2301.02679); the symmetry is elementary",
    outputs={
        "label": "(K,) frequencies, as text",
        "key": "(K,) whether the frequency is key here",
        "canonical": "(K,) the first image of that set under multiplication by units: the same for equivalent sets",
        "quality": "(K,) margin lost without the frequency, equal amplitudes; NaN for one that is not key",
        "amplitude": "(K,) root of the share of the logits along cos k(a + b - c)",
        "count": "() key frequencies",
        "margin": "() margin of the key frequencies with amplitudes 1; NaN without any, as below",
        "weighted_margin": "() the same with the logits' own amplitudes, their mean 1",
        "best_margin": "() largest margin of as many frequencies; NaN where too many sets would have to be tried",
        "{distance,best_distance}": "() root of twice the margin: between the nearest two classes on the circles",
        "rank": "() share of random sets of as many frequencies with a smaller margin",
        "null": "(3,) 2.5, 50 and 97.5 % of the margins of those",
    },
)
