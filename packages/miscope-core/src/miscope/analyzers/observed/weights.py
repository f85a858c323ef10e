"""What became of the weights: sentences of their size, their path and their checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from miscope.analyzers.observed.words import interval_of, listed, number, share
from miscope.observation import Observation, ObservedArtifact

__all__ = ["audit_observed", "balance_observed", "norms_observed", "path_observed"]

_NULLS = {
    "aimless": "aimless random walks of the same step lengths",
    "drift": "random walks that end as far from their start",
    "pull": "random walks pulled to one place",
}


def norms_observed(seen: ObservedArtifact) -> list[Observation]:
    """How the squared length of all weights changed from the first checkpoint to the last."""
    before, after = float(seen.first["total/squares"]), float(seen.arrays["total/squares"])
    if seen.step == seen.first_step or not before:
        text = f"The sum of squares of all weights is {number(after)} at {seen.at(seen.step or 0)}."
        return [Observation(text=text, value=after)]
    where = f"at {seen.at(seen.first_step or 0)} to {number(after)} at {seen.at(seen.step or 0)}"
    text = f"The sum of squares of all weights went from {number(before)} {where}, {after / before:.3g} times as much."
    return [Observation(text=text, value=after / before)]


def balance_observed(seen: ObservedArtifact) -> list[Observation]:
    """Whether Adam's update and the weight decay are in balance at the last checkpoint."""
    ratio = float(seen.arrays["total/update_over_decay"])
    if not np.isfinite(ratio):
        return []
    where = seen.at(seen.step or 0)
    text = (
        f"At {where} Adam's update is {number(ratio)} times as long as the weight decay of the weights that are decayed"
    )
    return [Observation(text=f"{text}; in balance it is 1.", value=ratio)]


def path_observed(seen: ObservedArtifact) -> list[Observation]:
    """How straight the weights' path is beside every random walk it is compared with."""
    arrays = seen.arrays
    if "all/explained" not in arrays or not len(arrays["all/explained"]):
        return []
    first = float(arrays["all/explained"][0])
    told = list(_beside(seen, first))
    if not told or not np.isfinite(first):
        return []
    text = f"The first principal component holds {share(first)} of the variance of the weights' path"
    return [Observation(text=f"{text}, {'; '.join(told)}.", value=first)]


def _beside(seen: ObservedArtifact, first: float) -> Iterator[str]:
    for name, walks in _NULLS.items():
        band = seen.arrays.get(f"all/{name}_explained")
        ends = interval_of(band[[0, 2], 0]) if band is not None and band.shape[1] else None
        if ends is not None:
            place = "more than" if first > ends[1] else "less than" if first < ends[0] else "as"
            yield f"{place} {walks} have ({share(ends[0])} to {share(ends[1])} in 95 % of them)"


def audit_observed(seen: ObservedArtifact) -> list[Observation]:
    """Which checkpoints are not what they say."""
    flag, at = seen.arrays["flag"], seen.arrays["at"]
    bad = flag.any(axis=1)
    if not bad.any():
        text = f"None of its {len(at)} checkpoints is flagged as damaged, doubled or out of order."
        return [Observation(text=text, value=0.0)]
    steps = [f"{step:,}" for step in at[bad].tolist()]
    kinds = listed([str(kind) for kind in seen.arrays["kind"][np.any(flag, axis=0)]])
    text = f"{int(bad.sum())} of its {len(at)} checkpoints are flagged ({kinds}): {seen.step_label} {listed(steps)}."
    return [Observation(text=text, value=float(bad.sum()))]
