"""How far two sets of directions are the same: of two dictionaries, or of one and the features that are known.

Directions are the rows of (n, d) arrays, of any length; a row of zeros has no direction, and cosine 0 with all others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np

__all__ = [
    "NEAR",
    "Agreement",
    "Recovery",
    "agreement",
    "best_latents",
    "chance",
    "cosines",
    "firing_f1",
    "matched",
    "mean_max_cosine",
    "recovery",
]

NEAR, _ROUGH = 0.9, 0.7
"""Cosines above which two directions are taken for one, strictly and loosely."""


@final
@dataclass(frozen=True, kw_only=True)
class Recovery:
    """How well a dictionary has the known features."""

    mmcs: float
    """Mean over features of the largest cosine with a row; a feature and its opposite are two."""
    rec90: float
    """Share of the features for which that is above 0.9."""
    mcc: float
    """Mean |cos| of the one-to-one matching that makes it largest, over as many pairs as the smaller set has."""


@final
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well two dictionaries of n and m rows agree. Shares are of (n + m) / 2, so two of other sizes never reach 1.

    `matched` pairs are those of the one-to-one matching of the largest sum of cosines, `mutual` ones those of which
    each is the other's nearest.
    """

    mmcs_there: float
    """Mean over the first's rows of the largest cosine with a row of the second."""
    mmcs_back: float
    """Mean over the second's rows of the largest cosine with a row of the first."""
    matched90: float
    """Share of matched pairs whose cosine is above 0.9."""
    matched70: float
    """Above 0.7."""
    mutual90: float
    """Share of mutual nearest neighbours whose cosine is above 0.9."""
    mutual70: float
    """Above 0.7."""
    cosine: float
    """Mean |cos| of the matched pairs."""


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, m) float64, of each of (n, d) rows with each of (m, d)."""
    return _units(one) @ _units(other).T


def mean_max_cosine(alike: np.ndarray) -> float:
    """MMCS: the mean over the rows of (n, m) cosines of their largest; NaN where there are none."""
    return float(alike.max(axis=1).mean()) if alike.size else float("nan")


def best_latents(truth: np.ndarray, decoder: np.ndarray) -> np.ndarray:
    """(n,) which of (m, d) rows has the largest cosine with each of (n, d) features."""
    return cosines(truth, decoder).argmax(axis=1)


def recovery(truth: np.ndarray, decoder: np.ndarray) -> Recovery:
    """Of (n, d) known features in (m, d) decoder rows (Sharkey, Braun and Millidge 2022); NaN where one is empty."""
    alike = cosines(truth, decoder)
    if not alike.size:
        return Recovery(mmcs=float("nan"), rec90=float("nan"), mcc=float("nan"))
    rows, columns = _one_to_one(np.abs(alike))
    return Recovery(
        mmcs=mean_max_cosine(alike),
        rec90=float((alike.max(axis=1) > NEAR).mean()),
        mcc=float(np.abs(alike[rows, columns]).mean()),
    )


def firing_f1(on: np.ndarray, fires: np.ndarray, best: np.ndarray) -> np.ndarray:
    """(n,) F1 of each feature's best latent as a sign that the feature is on; NaN where neither ever is.

    on: (N, n) bool, which features an input has. fires: (N, m) bool, which latents. best: (n,) of `best_latents`.
    """
    found = fires[:, best]
    both = (on & found).sum(axis=0)
    either = on.sum(axis=0) + found.sum(axis=0)
    return np.divide(2 * both, either, out=np.full(len(best), np.nan), where=either > 0)


def matched(alike: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p,) rows and columns of (n, m) cosines: pairs of the one-to-one matching that are above 0.9."""
    rows, columns = _one_to_one(alike)
    near = alike[rows, columns] > NEAR
    return rows[near], columns[near]


def agreement(one: np.ndarray, other: np.ndarray) -> Agreement:
    """Of (n, d) and (m, d) decoder rows; NaN throughout where one is empty."""
    alike = cosines(one, other)
    if not alike.size:
        return Agreement(**dict.fromkeys(Agreement.__dataclass_fields__, float("nan")))
    mean = (alike.shape[0] + alike.shape[1]) / 2
    rows, columns = _one_to_one(alike)
    paired, mutual = alike[rows, columns], _mutual(alike)
    return Agreement(
        mmcs_there=mean_max_cosine(alike),
        mmcs_back=mean_max_cosine(alike.T),
        matched90=float((paired > NEAR).sum() / mean),
        matched70=float((paired > _ROUGH).sum() / mean),
        mutual90=float((mutual > NEAR).sum() / mean),
        mutual70=float((mutual > _ROUGH).sum() / mean),
        cosine=float(np.abs(paired).mean()),
    )


def chance(counts: tuple[int, int], width: int, *, draws: int, seed: int) -> Agreement:
    """The mean agreement of so many random directions of this width, every pair drawn anew."""
    generator = np.random.default_rng(seed)
    found = [agreement(*(generator.standard_normal((count, width)) for count in counts)) for _ in range(draws)]
    values = [asdict(each) for each in found]
    return Agreement(**{name: float(np.mean([each[name] for each in values])) for name in values[0]})


def _units(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


def _one_to_one(alike: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the matching of the largest sum."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(alike, maximize=True)


def _mutual(alike: np.ndarray) -> np.ndarray:
    """(pairs,) cosines of rows and columns each of which is the other's nearest."""
    nearest = alike.argmax(axis=1)
    back = alike.argmax(axis=0)
    rows = np.flatnonzero(back[nearest] == np.arange(len(alike)))
    return alike[rows, nearest[rows]]
