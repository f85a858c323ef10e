"""Another time axis: since an event, or as a fraction of a training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope.figures.comparing.compared_figure import in_parts, put_together, time_axes
from miscope.figures.extents import places
from miscope.figures.trace_columns import values_of
from miscope.maths.dated_events import long_name
from miscope.view import SINCE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.view import ViewData

__all__ = ["EVERY_RUN", "Clock", "clock_of", "clock_turned", "on_clock"]

EVERY_RUN = ("step", "fraction")
"""Ways to align that there are for every training: by the step itself, and as a fraction of the last step."""


@final
@dataclass(frozen=True, kw_only=True)
class Clock:
    """Where the steps of one training stand on the axis: at (step - zero) / unit."""

    zero: float = 0.0
    unit: float = 1.0
    title: str = ""
    """Of the axis; "" where it counts steps."""

    @property
    def whole(self) -> bool:
        """Whether places are as far apart as steps."""
        return self.unit == 1

    def place(self, step: float) -> float:
        """Where a step stands on the axis."""
        return (step - self.zero) / self.unit

    def step(self, place: float) -> float:
        """The step that stands there."""
        return place * self.unit + self.zero


def clock_of(align: str, *, events: Mapping[str, float], last: float, step_label: str) -> Clock | None:
    """The clock of one training; None where the event it is to be aligned by never happened there.

    align: 'step', 'fraction' of the last step, or the name of an event. events: their steps.
    """
    if align == "step":
        return Clock()
    if align == "fraction":
        return Clock(unit=max(last, 1.0), title="fraction of training")
    return Clock(zero=events[align], title=f"{step_label}s since {long_name(align)}") if align in events else None


def clock_turned(control: str, shown: ViewData) -> Clock:
    """The clock of what is shown, of one variant, as STEP_SCALE is turned; that of steps where it counts these.

    A training is as long as its checkpoints go, one without any as what was recorded.
    """
    align = control if control in EVERY_RUN else control.removeprefix(SINCE) if control.startswith(SINCE) else "step"
    ends = (
        shown.steps[-1:] if len(shown.steps) else [each.steps[-1] for each in shown.metrics.values() if len(each.steps)]
    )
    last = float(max(ends, default=0))
    return clock_of(align, events=shown.events, last=last, step_label=shown.step_label) or Clock()


def on_clock(figure: Figure, clock: Clock) -> Figure:
    """A copy of the figure with what lies on its time axes moved there. An axis in powers of ten becomes a plain one.

    Steps that a text names stay as they are written, save beside the mark of an event; a hover label calls what it
    shows of the axis by the axis's title.
    One that was moved to another clock before is moved from there.
    """
    parts = in_parts(figure)
    if clock.title:
        there = Clock(**parts.layout["meta"]["miscope"].get("clock", {}))
        onward = replace(clock, zero=there.place(clock.zero), unit=clock.unit / there.unit)
        for name in time_axes(parts.layout):
            _move(parts.traces, parts.layout, name, onward)
        parts.layout["meta"]["miscope"]["clock"] = {"zero": clock.zero, "unit": clock.unit}
    return put_together(parts)


def _move(traces: list[dict[str, Any]], layout: dict[str, Any], name: str, clock: Clock) -> None:
    letter, key = name[0], f"{name[0]}axis{name[1:]}"
    step_label = layout["meta"]["miscope"].get("step_label", "step")
    for trace in traces:
        if trace.get(f"{letter}axis", letter) == name and "scene" not in trace:
            _move_trace(trace, letter, clock)
            _rename_hover(trace, letter, clock, step_label)
    axis = layout.get(key, {})
    logarithmic = axis.get("type") == "log"
    for drawn in (*layout.get("shapes", ()), *layout.get("annotations", ())):
        if drawn.get(f"{letter}ref", letter) == name:
            # plotly has annotations of an axis in powers of ten at their exponents, shapes at the numbers.
            tens = logarithmic and "text" in drawn
            for end in (letter, f"{letter}0", f"{letter}1"):
                if isinstance(drawn.get(end), int | float | np.number):
                    drawn[end] = clock.place(10.0 ** drawn[end] if tens else drawn[end])
            _name_place(drawn, letter, clock)
    kept = {
        word: value for word, value in axis.items() if word not in ("type", "dtick", "range", "tickvals", "ticktext")
    }
    if axis.get("range") is not None and not logarithmic and None not in axis["range"]:
        kept["range"] = [clock.place(end) for end in axis["range"]]
    text = _titled(axis.get("title", {}).get("text") or "", clock, step_label)
    layout[key] = {**kept, "title": {**axis.get("title", {}), "text": text}}


def _name_place(drawn: dict[str, Any], letter: str, clock: Clock) -> None:
    """Have the mark of an event name its place on this axis: 'generalised 0.72'."""
    text = drawn.get("label", {}).get("text")
    if drawn.get("name") == "event" and text:
        place = f"{drawn[f'{letter}0']:{',.0f' if clock.whole else '.2g'}}"
        drawn["label"] = {**drawn["label"], "text": re.sub(r" -?[\d,.]+$", f" {place}", text)}


def _titled(text: str, clock: Clock, step_label: str) -> str:
    """The axis's title, with what a figure says of its steps: 'epoch by which half is learnt'."""
    said = re.sub(r" \(log.*\)$", "", text.removeprefix(step_label)) if text.startswith(step_label) else ""
    return clock.title + (said if said.startswith(" ") else "")


def _move_trace(trace: dict[str, Any], letter: str, clock: Clock) -> None:
    """Its places, and what of it is as long as so many steps."""
    if letter in trace:
        trace[letter] = (places(trace, letter).astype(float) - clock.zero) / clock.unit
    elif f"{letter}0" in trace or f"d{letter}" in trace:
        trace[f"{letter}0"] = clock.place(trace.get(f"{letter}0", 0))
        trace[f"d{letter}"] = trace.get(f"d{letter}", 1) / clock.unit
    if ("y" if trace.get("orientation") == "h" else "x") == letter:
        _shorten(trace, ("width", "offset"), clock.unit)
    error = trace.get(f"error_{letter}")
    if error is not None:
        # Of a percentage no length is known, and caps are as wide as so many pixels.
        lengths = ("array", "arrayminus", *(("value", "valueminus") if error.get("type") == "constant" else ()))
        _shorten(error, lengths, clock.unit)


def _rename_hover(trace: dict[str, Any], letter: str, clock: Clock, step_label: str) -> None:
    """Have 'epoch %{x:,}' in a hover label say what the axis counts."""
    template = trace.get("hovertemplate")
    if not isinstance(template, str):
        return
    known = rf"\b{re.escape(step_label)} %\{{{letter}(?::[^}}]*)?\}}"
    form = "," if clock.whole else ".4~f"
    trace["hovertemplate"] = re.sub(known, f"{clock.title} %{{{letter}:{form}}}", template)


def _shorten(part: dict[str, Any], lengths: tuple[str, ...], unit: float) -> None:
    for name in lengths:
        if part.get(name) is not None:
            given = values_of(part[name])
            part[name] = given.astype(float) / unit if given.ndim else float(given) / unit
