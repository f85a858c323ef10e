"""Births on which crosscoders agree, beside those that one alone finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.frame import figure
from miscope.view import EVENT_MARKS
from miscope_sae.views.checkpoint_axis import between, checkpoint_axis
from miscope_sae.views.frame import title
from miscope_sae.views.source_losses import LOSSES, above_losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plotly.graph_objects import Figure

_READS = "sae.births_agreed"
_TITLE = "Births on which crosscoders agree"


def births_agreed(shown: ViewData, *, events: bool) -> Figure:
    """Births that crosscoders agree on, date otherwise or do not share, beside chance; below, the network's losses.

    Between two checkpoints, mean of the crosscoders.
    """
    arrays = shown.artifacts[_READS]
    at, count = arrays["at"], len(arrays["crosscoder"])
    x, words = between(at)
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            **{"x": x, "y": births, "name": name, "marker": {"color": colour}, "opacity": 0.8, "customdata": words},
            "hovertemplate": f"{name}, %{{customdata}}: %{{y:.3g}} a crosscoder<extra></extra>",
        }
        for name, births, colour in _kinds(arrays)
    ]
    by_chance = _by_checkpoint(arrays, arrays["by_chance"])
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            **{"x": x, "y": by_chance, "name": "agreed by chance", "customdata": words},
            "marker": {"symbol": "line-ew-open", "size": 26, "color": NULL, "line": {"width": 2.4, "color": NULL}},
            "hovertemplate": "by chance, %{customdata}: %{y:.3g} a crosscoder<extra></extra>",
        }
    )
    layout: dict[str, Any] = {
        "title": title(shown, _TITLE, _note(arrays)),
        "xaxis": checkpoint_axis(at),
        "yaxis": {"title": {"text": f"births, mean of {count} crosscoders"}, "rangemode": "tozero"},
        "barmode": "stack",
        "bargap": 0.25,
        "showlegend": True,
    }
    source = shown.members[0].shown.source if shown.members else None
    return figure(*above_losses(source, at, traces, layout, events=events))


def _kinds(arrays: Mapping[str, np.ndarray]) -> list[tuple[str, np.ndarray, str]]:
    """In words, between two checkpoints, and a colour."""
    quorum = int(arrays["quorum"])
    agreed, shared = arrays["agreed"], arrays["having"] >= quorum
    count = len(arrays["crosscoder"])
    return [
        (f"agreed by {quorum} of {count}", _by_checkpoint(arrays, agreed), OKABE_ITO[2]),
        ("same latent, other birth", _by_checkpoint(arrays, shared & ~agreed), OKABE_ITO[4]),
        ("latent of fewer", _by_checkpoint(arrays, ~shared), OKABE_ITO[5]),
    ]


def _by_checkpoint(arrays: Mapping[str, np.ndarray], counted: np.ndarray) -> np.ndarray:
    """(T - 1,) sum of (B,) over the births by each checkpoint but the first, over the number of crosscoders."""
    at = arrays["at"]
    place = np.searchsorted(at, arrays["birth"])
    return np.bincount(place, weights=counted, minlength=len(at))[1:] / len(arrays["crosscoder"])


def _note(arrays: Mapping[str, np.ndarray]) -> str:
    agreed, chance = arrays["agreed"], arrays["by_chance"]
    shared = arrays["matched"][np.isfinite(arrays["matched"])]
    found = (
        f"{agreed.mean():.0%} of {len(agreed):,} births agreed, {chance.mean():.0%} by chance" if len(agreed) else ""
    )
    both = f"two share {shared.min():.0%} to {shared.max():.0%} of their latents" if len(shared) else ""
    return " · ".join(part for part in (found or "no birth after the first checkpoint", both) if part)


VIEWS = (
    View(
        name=_READS,
        title=_TITLE,
        grain=Grain.COHORT,
        draw=births_agreed,
        needs=Needs(reads=(_READS,), source_metrics=tuple(LOSSES)),
        controls=(EVENT_MARKS,),
        in_reports=({},),
    ),
)
