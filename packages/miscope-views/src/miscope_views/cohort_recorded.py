"""Any number that was recorded while several variants trained, laid over each other."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import member_colours
from miscope.maths.dated_events import long_name
from miscope.recorded_rate import recorded_rate
from miscope.snapshot import Series
from miscope.view import Member
from miscope_views.aligning import aligned, alignments, left_out, of_alignment
from miscope_views.definitions import counted
from miscope_views.figures import figure, line, title
from miscope_views.signed_axis import Magnitudes, magnitudes_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["RECORDED_VIEW"]

_LETTERS = 30
"""Of a line of the legend."""
_WIDE = 30
"""From so large a ratio of the largest to the smallest on, an axis is logarithmic by itself."""


def recorded(shown: ViewData, *, metric: str, align: str, scale: str) -> Figure:
    """One recorded metric of each variant that has it, their time axes aligned by step, by fraction or by an event.

    By range, an axis is logarithmic where the numbers span much, but for shares of right answers.
    """
    colours = member_colours(shown.members)
    without = left_out(shown, align)
    held = {member.label: _known(member) for member in shown.members}
    told = [member for member in shown.members if metric in held[member.label] and member.label not in without]
    if not told:
        reason = f"none of them recorded {metric!r} on such an axis"
        raise DoesNotApply(reason)
    axis = _scale(
        "linear" if scale == "by range" and metric.endswith("accuracy") else scale,
        [held[member.label][metric].values for member in told],
    )
    traces = []
    for member in told:
        series = held[member.label][metric]
        curve = line(
            aligned(series, member.shown, align),
            series.values if axis is None else axis.laid(series.values),
            _legend(member.label),
            colours[member.shown.variant.name],
            customdata=series.values,
            hovertemplate=f"{member.label}<br>%{{customdata:.4g}} at %{{x:,}}<extra></extra>",
        )
        traces.append(curve)
    note = f"{len(told)} of {len(shown.members)} variants"
    if without:
        note += f" · not aligned, without '{long_name(align)}': {', '.join(without)}"
    layout = {
        "title": title(shown, metric, note),
        **of_alignment(shown, align),
        "yaxis": {"title": {"text": metric}} if axis is None else axis.axis(metric),
        "hovermode": "closest",
        "showlegend": len(told) > 1,
        "meta": counted(align),
    }
    return figure(traces, layout)


def _known(member: Member) -> Mapping[str, Series]:
    """What was recorded, and the learning rate."""
    return {**member.shown.metrics, **recorded_rate(member.shown.variant, member.shown.metrics)}


def _legend(label: str) -> str:
    """In lines that leave room beside them for the curves; hovering tells the rest of what does not fit three."""
    return "<br>".join(textwrap.wrap(label, _LETTERS, max_lines=3, placeholder=" ..."))


def _scale(scale: str, values: Sequence[np.ndarray]) -> Magnitudes | None:
    """None: a linear axis. By itself one is logarithmic, to both sides of 0 if need be, where the numbers span much."""
    if scale == "linear":
        return None
    sizes = np.abs(np.concatenate(values))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if scale == "by range" and (not len(sizes) or sizes.max() < _WIDE * sizes.min()):
        return None
    return magnitudes_of(values)


def _metrics(shown: ViewData) -> Sequence[str]:
    """Of any member; what instruments saw comes first, since losses and accuracies have views of their own."""
    names: set[str] = {name for member in shown.members for name in _known(member)}
    return sorted(names, key=lambda name: ("/" not in name, name))


_CONTROLS: tuple[Any, ...] = (
    Choice(name="metric", options_from=_metrics),
    Choice(name="align", options_from=alignments, default="step", label="align by"),
    Choice(name="scale", options=("by range", "linear", "logarithmic")),
)

RECORDED_VIEW = View(
    name="cohort.recorded",
    title="Any recorded metric, of several variants",
    grain=Grain.COHORT,
    draw=recorded,
    needs=Needs(metrics=("*",)),
    controls=_CONTROLS,
    time_axis="x",
)
