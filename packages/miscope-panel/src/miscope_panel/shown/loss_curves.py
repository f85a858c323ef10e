"""The losses of a training as a small chart draws them: few points that look like all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.errors import MiscopeError
from miscope.snapshot import Series
from miscope_panel.shown.thinning import thinned

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["curves_dict", "loss_curves", "loss_names"]

_MOST_CURVES, _MOST_POINTS = 4, 200
_FIRST = ("train_loss", "test_loss", "loss")


def loss_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these metrics that are drawn: losses of the training and of what is held out, before parts of them.

    Scalars of instruments, whose names have a slash, are none.
    """
    losses = [name for name in names if "/" not in name and name.endswith("loss")]
    order = {name: place for place, name in enumerate(_FIRST)}
    return tuple(sorted(losses, key=lambda name: (order.get(name, len(order)), name))[:_MOST_CURVES])


def loss_curves(store: Store, variant: str) -> Mapping[str, Mapping[str, list[float]]]:
    """'steps' and 'values' by metric, of values that a logarithmic axis has room for; {} where nothing was recorded."""
    found = store.metrics(variant, ("*loss",))
    return {name: _drawn(found[name]) for name in loss_names(found)}


def curves_dict(store: Store, variant: str) -> dict[str, Any]:
    """The same as JSON has it; {} too where what is there cannot be read: whoever shows them says all else."""
    try:
        return {name: dict(curve) for name, curve in loss_curves(store, variant).items()}
    except MiscopeError:
        return {}


def _drawn(series: Series) -> Mapping[str, list[float]]:
    there = np.isfinite(series.values) & (series.values > 0)
    kept = thinned(Series(steps=series.steps[there], values=series.values[there]), _MOST_POINTS)
    return {"steps": kept.steps.tolist(), "values": kept.values.tolist()}
