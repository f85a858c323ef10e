"""How routing changes over training."""

from __future__ import annotations

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Trajectory
from miscope_lal.label_information import adjusted_information, information_p_value

_MAP = "routing.map"


def drift(trajectory: Trajectory) -> Arrays:
    """How far routing is from where it began, from the step before and from where it ends.

    Distances are mean total variation, 1/2 sum_k |w_k - w'_k|: the share of an input's weight that lies elsewhere,
    0 to 1. `likeness` is the adjusted mutual information of dominant heads with those of the last checkpoint, beside
    the p-value of independence (likelihood ratio, chi-squared).
    """
    arrays, outputs = trajectory.artifacts[_MAP], dict[str, np.ndarray]()
    for site in sorted({name.rpartition("/")[0] for name in arrays}, key=lambda name: (len(name), name)):
        weights = np.asarray(arrays[f"{site}/weights"])
        count = len(trajectory.steps)
        dominant = np.asarray(arrays[f"{site}/dominant"]).reshape(count, -1)
        outputs |= {
            f"{site}/from_first": np.array([_apart(weights[t], weights[0]) for t in range(count)]),
            f"{site}/from_last": np.array([_apart(weights[t], weights[-1]) for t in range(count)]),
            f"{site}/moved": np.array([_apart(weights[t], weights[max(t - 1, 0)]) for t in range(count)]),
            f"{site}/changed": (dominant != dominant[0]).mean(axis=1),
            f"{site}/likeness": np.array([adjusted_information(row, dominant[-1]) for row in dominant]),
            f"{site}/likeness/p": np.array([information_p_value(row, dominant[-1]) for row in dominant]),
        }
    return outputs


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(np.float64) - other).sum(axis=-1).mean() / 2)


DRIFT = Analyzer(
    name="routing.drift",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=drift,
    needs=Needs(reads=(_MAP,)),
    not_invariant_to=(),
    question="When does routing change, and when is it what it will be?",
    formula="d(t, t') = mean_i 1/2 sum_k |w_ik(t) - w_ik(t')|",
    source="Total variation; Vinh, Epps & Bailey 2010 for the likeness; Wilks 1938 for its p-value",
    outputs={
        "SITE/from_first": "(T,) mean total variation distance to the first checkpoint's routing",
        "SITE/from_last": "(T,) to the last checkpoint's",
        "SITE/moved": "(T,) to the checkpoint before; 0 at the first",
        "SITE/changed": "(T,) share of inputs whose dominant head is another than at the first checkpoint",
        "SITE/likeness": "(T,) adjusted mutual information with the last checkpoint's dominant heads; NaN where one "
        "head dominates everywhere in both",
        "SITE/likeness/p": "(T,) p-value of independence from these",
    },
)
