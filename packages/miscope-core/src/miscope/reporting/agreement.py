"""How far seeds agree: mean, interval and count of what was recorded last and of when it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from miscope.maths.dated_events import long_name
from miscope.maths.mean_interval import FEWEST, Scale, mean_interval
from miscope.reporting.content import Table
from miscope.reporting.event_table import EventSteps
from miscope.reporting.variant_tables import identity_of
from miscope.snapshot import Series
from miscope.variant import Variant

__all__ = ["agreement", "groups_of_seeds"]

_NOTE = (
    "Intervals are of the mean, 95 %, by Student's t over seeds: of accuracies on the angle arcsin √a, of losses and "
    "steps on the logarithm, so that they keep to what such a number can be. The mean is that of the same scale, of "
    "losses and steps the geometric one. There is none where all are the same, nor of losses and steps where one is 0. "
    "An event that did not happen in all has no mean: the others would make it too early."
)
_TWO = "Two seeds have no interval: the least and the most are the two values. "


def groups_of_seeds(variants: Sequence[Variant]) -> list[list[int]]:
    """Places of variants that differ in their seeds alone, two or more of them."""
    groups: dict[str, list[int]] = {}
    for place, variant in enumerate(variants):
        rest = {name: value for name, value in identity_of(variant).items() if "seed" not in name and name != "label"}
        groups.setdefault(repr(sorted(rest.items())), []).append(place)
    return [places for places in groups.values() if len(places) > 1]


def agreement(
    places: Sequence[int], labels: Sequence[str], metrics: Sequence[Mapping[str, Series]], events: EventSteps
) -> Table:
    """A row for each metric that all of them recorded, and for each event that happened to any."""
    rows = [*_metrics([metrics[place] for place in places])]
    for event, steps in events.items():
        chosen = np.array([steps[place] for place in places])
        if np.isfinite(chosen).any():
            rows.append((long_name(event), *_over(chosen, "positive")))
    title = f"Agreement over {len(places)} seeds: {', '.join(labels[place] for place in places)}"
    note = (_TWO if len(places) < FEWEST else "") + _NOTE
    columns = ("", "mean", "95 % interval of it", "least to most", "n")
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)


def _metrics(metrics: Sequence[Mapping[str, Series]]) -> Iterator[tuple[str, ...]]:
    shared = set.intersection(*(set(each) for each in metrics))
    for name in sorted(name for name in shared if "/" not in name and name.endswith(("loss", "accuracy"))):
        last = np.array([float(each[name].values[-1]) for each in metrics if len(each[name].values)])
        if len(last) == len(metrics):
            yield (f"last {name.replace('_', ' ')}", *_over(last, _scale(name, last)))


def _scale(name: str, values: np.ndarray) -> Scale:
    """What such a number can be; an accuracy in per cent is only known to be positive, a loss may be a negative one."""
    if name.endswith("accuracy") and ((values >= 0) & (values <= 1)).all():
        return "share"
    return "any" if (values < 0).any() else "positive"


def _over(values: np.ndarray, scale: Scale) -> tuple[str, str, str, str]:
    known = values[np.isfinite(values)]
    count = f"{len(known)} of {len(values)}" if len(known) < len(values) else str(len(values))
    spread = f"{_number(known.min())} to {_number(known.max())}" if len(known) else "–"
    if len(known) < len(values):
        return "–", "–", spread, count
    middle, low, high = mean_interval(known, scale)
    band = f"{_number(low)} to {_number(high)}" if np.isfinite(low) else "–"
    return _number(middle) if np.isfinite(middle) else "–", band, spread, count


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
