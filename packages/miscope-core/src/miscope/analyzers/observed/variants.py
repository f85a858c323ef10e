"""What several variants have in common: sentences of what spans them."""

from __future__ import annotations

import numpy as np

from miscope.analyzers.observed.words import interval_of, listed
from miscope.observation import Observation, ObservedArtifact

__all__ = ["events_of_all_observed"]

_TOLD = ("memorised", "generalised")


def events_of_all_observed(seen: ObservedArtifact) -> list[Observation]:
    """How many got there, the median step with its interval, and who is unlike the rest."""
    arrays = seen.arrays
    names, several, told = arrays["event"].tolist(), len(arrays["variant"]), []
    for name in _TOLD:
        count, median = int(arrays[f"{name}/count"]), float(arrays[f"{name}/median"])
        band, method = interval_of(arrays[f"{name}/median_interval"]), str(arrays[f"{name}/median_method"][0])
        doubt = (
            f"95 % interval {band[0]:,.0f} to {band[1]:,.0f}, {method}"
            if band
            else f"no interval{method.removeprefix('none')}"
        )
        text = f"{count} of {several} {name}"
        if np.isfinite(median):
            text += f"; the median is {seen.at(median)} (Kaplan-Meier; {doubt})"
        column = names.index(name)
        unlike = [str(arrays["variant"][i]) for i in np.flatnonzero(arrays["outlier"][:, column])]
        if unlike:
            text += f"; unlike the rest: {listed(unlike)}"
        told.append(Observation(text=f"{text}.", value=median if np.isfinite(median) else None, interval=band))
    return told
