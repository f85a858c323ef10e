"""What the entries of a list of states say of themselves, each beside its own weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from miscope.importing.foreign.losses import KEYS, Recorded, recorded

__all__ = ["recorded_by_entries"]


def recorded_by_entries(path: Path, entries: Sequence[Mapping[Any, Any]]) -> dict[str, list[Recorded]]:
    """Metrics that entries hold one value of each, and the longest list of one among them.

    A list in an entry is what was recorded until then, so that the longest holds the others.
    """
    each = [recorded(path, entry) for entry in entries]
    by_metric: dict[str, list[Recorded]] = {}
    for metric in KEYS:
        ones = [(place, one) for place, of_entry in enumerate(each) for one in of_entry.get(metric, ()) if one.values]
        singles = {place: one for place, one in ones if one.single}
        if lists := [one for _, one in ones if not one.single]:
            by_metric[metric] = [max(lists, key=lambda one: len(one.values))]
        if singles:
            key, values = next(iter(singles.values())).key, tuple(one.values[0] for one in singles.values())
            by_metric.setdefault(metric, []).append(Recorded(key=key, values=values, single=True, of=tuple(singles)))
    return by_metric
