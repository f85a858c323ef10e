"""Where updates point over training, and what the last one was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import band, figure, title
from miscope_views.named_arrays import choice_of, holders
from miscope_views.named_curves import curve, curves_of, over_time

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["DIRECTIONS"]

_ALIGNMENT, _LAST = "optimizer.alignment", "optimizer.last_update"
_EVERY = "every pair"
_PAIRS: Mapping[str, str] = {
    "update, gradient": "update_gradient",
    "update, momentum": "update_momentum",
    "update, weights": "update_weights",
    "gradient, momentum": "gradient_momentum",
    "gradient, weights": "gradient_weights",
    "momentum, weights": "momentum_weights",
}


def alignment(shown: ViewData, *, pair: str, of: str) -> Figure:
    """Cosines of update, gradient, momentum and weights over training, of one weight or of all of them by weight.

    Grey: where random directions lie in 95 % of cases; by weight, those of the smallest.
    """
    arrays = shown.artifacts[_ALIGNMENT]
    steps = arrays["step"]
    if pair == _EVERY:
        traces = [
            curve(shown, arrays, f"{of}/{name}", words, color=OKABE_ITO[i])
            for i, (words, name) in enumerate(_PAIRS.items())
        ]
        null, note = np.asarray(arrays[f"{of}/null"]), "all weights" if of == "total" else of
    else:
        named = [role for role in holders(arrays, "null") if role != "total"]
        traces = curves_of(shown, arrays, _PAIRS[pair], named)
        traces.append(curve(shown, arrays, f"total/{_PAIRS[pair]}", "total", width=2.6))
        null, note = np.max([arrays[f"{role}/null"] for role in named], axis=0), f"of {pair.replace(', ', ' and ')}"
    ribbon = band(steps, np.zeros(len(steps)), np.minimum(null, 1.0), NULL, "random directions")
    ribbon[-1] |= {"name": "random directions", "showlegend": True}
    layout: dict[str, Any] = {
        "title": title(shown, "Alignment of the updates", note),
        "yaxis": {"title": {"text": "cosine"}, "range": [-1.05, 1.05]},
        "showlegend": True,
    }
    return figure([*ribbon, *traces], layout)


_PARTS: Mapping[str, tuple[str, str]] = {
    "gradient": ("newest gradient", OKABE_ITO[0]),
    "memory": ("earlier gradients", OKABE_ITO[4]),
    "decay": ("weight decay", OKABE_ITO[1]),
}


def last_update(shown: ViewData, *, measure: str, of: str) -> Figure:
    """What each update is made of over training: the newest gradient, the memory of earlier ones, and the decay.

    Shares are projections on the move and add up to 1; lengths are of each part alone.
    """
    arrays = shown.artifacts[_LAST]
    quantity = {"share of the move": "share", "length": "length"}[measure]
    known = [part for part in _PARTS if np.isfinite(arrays[f"{of}/{part}_{quantity}"]).any()]
    if not known:
        raise DoesNotApply("no update moved the weights")
    traces = [curve(shown, arrays, f"{of}/{part}_{quantity}", _PARTS[part][0], color=_PARTS[part][1]) for part in known]
    if quantity == "length":
        traces.append(curve(shown, arrays, f"{of}/move_length", "move", width=2.6))
    unknown = "" if "gradient" in known else " · of this training nobody knows the newest gradient"
    heading = title(shown, "What an update is made of", ("all weights" if of == "total" else of) + unknown)
    if quantity == "length":
        return figure(traces, over_time(traces, heading, "length, in units of the weights"))
    axis = {"title": {"text": "share of the move"}}
    return figure(traces, {"title": heading, "yaxis": axis, "showlegend": True})


DIRECTIONS = (
    View(
        name=_ALIGNMENT,
        title="Alignment of the updates",
        grain=Grain.TRAJECTORY,
        draw=alignment,
        needs=Needs(reads=(_ALIGNMENT,)),
        controls=(
            Choice(name="pair", options=(_EVERY, *_PAIRS)),
            choice_of("of", _ALIGNMENT, "null", default="total"),
        ),
        time_axis="x",
    ),
    View(
        name=_LAST,
        title="What an update is made of",
        grain=Grain.TRAJECTORY,
        draw=last_update,
        needs=Needs(reads=(_LAST,)),
        controls=(
            Choice(name="measure", options=("share of the move", "length")),
            choice_of("of", _LAST, "move_length", default="total"),
        ),
        time_axis="x",
    ),
)
