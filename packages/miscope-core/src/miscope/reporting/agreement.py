"""How far seeds agree: mean, interval and count of what was recorded last and of when it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from miscope.reporting.content import Table
from miscope.reporting.event_table import DATED, EventSteps
from miscope.reporting.variant_tables import identity_of
from miscope.snapshot import Series
from miscope.variant import Variant

__all__ = ["agreement", "groups_of_seeds"]

_NOTE = (
    "Intervals: 95 % by Student's t over seeds; of losses of their logarithm, so that the mean is the geometric one. "
    "An event that did not happen in all has no mean: the others would make it too early."
)


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
            rows.append((DATED[event], *_over(chosen, logarithmic=False)))
    title = f"Agreement over {len(places)} seeds: {', '.join(labels[place] for place in places)}"
    return Table(title=title, columns=("", "mean", "95 % interval", "least to most", "n"), rows=tuple(rows), note=_NOTE)


def _metrics(metrics: Sequence[Mapping[str, Series]]) -> Iterator[tuple[str, ...]]:
    shared = set.intersection(*(set(each) for each in metrics))
    for name in sorted(name for name in shared if "/" not in name and name.endswith(("loss", "accuracy"))):
        last = np.array([float(each[name].values[-1]) for each in metrics if len(each[name].values)])
        if len(last) == len(metrics):
            yield (f"last {name.replace('_', ' ')}", *_over(last, logarithmic=name.endswith("loss")))


def _over(values: np.ndarray, *, logarithmic: bool) -> tuple[str, str, str, str]:
    from scipy.stats import t

    known = values[np.isfinite(values)]
    count = f"{len(known)} of {len(values)}" if len(known) < len(values) else str(len(values))
    spread = f"{_number(known.min())} to {_number(known.max())}" if len(known) else "–"
    logarithmic = logarithmic and bool((known > 0).all())
    if len(known) < len(values) or len(known) < 2:
        return "–", "–", spread, count
    inner = np.log(known) if logarithmic else known
    mean, sem = float(inner.mean()), float(inner.std(ddof=1) / np.sqrt(len(inner)))
    reach = float(t.ppf(0.975, len(inner) - 1)) * sem
    ends = [mean, mean - reach, mean + reach]
    middle, low, high = np.exp(ends) if logarithmic else np.array(ends)
    return _number(middle), f"{_number(low)} to {_number(high)}", spread, count


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
