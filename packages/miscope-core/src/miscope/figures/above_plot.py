"""What stands above the panels of a figure on paper, where its title stood: the names of events, and the legend."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["above_plot", "short_event", "short_names"]

_LETTER = 0.64
"""Width of a letter by its size, at most about."""
_LINE = 1.35
"""Height of a line by the size of its letters."""
_SAMPLE, _BESIDE = 30, 12
"""Pixels of the line before an entry of a legend, the shortest that plotly draws, and those about it."""
_ROWS = 3
"""Rows of names of events at most; one that fits in none is left as its mark."""
_SIZES = {"legend": 11.0, "event": 10.0}
_SLACK = 2.0

Part = dict[str, Any]


def above_plot(traces: Sequence[Any], layout: Part, factor: float) -> Part:
    """The layout with these in rows over its panels, as high as they need it; nothing where nothing is left to stand.

    layout: with width, height and margins in pixels. factor: of the letters, on the screen's.
    """
    margin, width = dict(layout["margin"]), float(layout["width"])
    inside = max(width - margin["l"] - margin["r"], 1.0)
    noted = _has_notes(traces, layout)
    top = margin["t"] if noted else _SLACK
    named, rows = _named_above(layout, traces, inside, factor, lifted=noted)
    top += rows * _SIZES["event"] * factor * _LINE
    letters = _SIZES["legend"] * factor
    entries = _entries(traces, layout)
    wide = math.ceil(max(map(len, entries), default=0) * letters * _LETTER)
    lines = math.ceil(len(entries) / max(int(inside // (wide + _SAMPLE + _BESIDE)), 1))
    # As plotly spaces them.
    legend = lines * (max(1.3 * letters, 16) + 3)
    more = max(0.0, top + legend - margin["t"])
    made = {**named, "margin": {**margin, "t": top}, "height": layout["height"] + more}
    if lines:
        # Measured from the figure's edge: beside the panels plotly keeps room for it once more.
        place = {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"}
        made["legend"] = {**layout.get("legend", {}), **place, "entrywidth": wide}
        made["margin"] = {**made["margin"], "t": top + legend}
    return made


def _has_notes(traces: Sequence[Any], layout: Part) -> bool:
    """Whether anything else may stand above the panels: their titles, words at points, a colour bar that lies."""
    bars = [part.get("colorbar", {}) for name, part in layout.items() if re.fullmatch(r"coloraxis\d*", name)]
    worded = any("text" in str(_of(trace, "mode")) for trace in traces)
    return worded or bool(layout.get("annotations")) or any(bar.get("orientation") == "h" for bar in bars)


def _named_above(
    layout: Part, traces: Sequence[Any], inside: float, factor: float, *, lifted: bool
) -> tuple[Part, int]:
    """The layout with the names of upright event marks lying above the panels, and how many rows these take.

    lifted: whether the lowest row is taken.
    """
    shapes = [*layout.get("shapes", ())]
    ends: list[float] = []
    spots = {at: _spot(layout, traces, shape, inside) for at, shape in enumerate(shapes) if _is_named(shape)}
    for at, spot in sorted(spots.items(), key=lambda item: item[1]):
        label = shapes[at]["label"]
        text = short_event(label["text"])
        wide = len(text) * _SIZES["event"] * factor * _LETTER
        left = min(max(spot - wide / 2, 0.0), max(inside - wide, 0.0))
        row = next((row for row, end in enumerate(ends) if end < left), len(ends))
        if row == _ROWS:
            shapes[at] = {**shapes[at], "label": {}}
            continue
        ends[row : row + 1] = [left + wide + 4]
        anchor = "left" if left == 0 else "right" if left + wide >= inside else "center"
        above = {"textangle": 0, "textposition": "end", "xanchor": anchor, "yanchor": "bottom", "padding": 1}
        shapes[at] = {**shapes[at], "label": {**label, **above, "text": text + "<br>\u00a0" * (row + lifted)}}
    return ({**layout, "shapes": shapes} if spots else layout), len(ends)


def short_event(text: str) -> str:
    """'onset' of 'onset of test loss fall 870'."""
    return re.sub(r"( of\b.*)?[\s\d,.-]*$", "", text.replace("<br>", " "))


def _is_named(shape: Mapping[str, Any]) -> bool:
    """Whether it marks an event along a line up to the top of the panels, with its name along it."""
    upright = shape.get("x0") == shape.get("x1") and str(shape.get("xref", "")).startswith("x")
    label = shape.get("label") or {}
    named = shape.get("name") == "event" and bool(label.get("text")) and label.get("textangle") == -90
    return named and upright and shape.get("yref") == "paper" and _number(shape.get("y1")) >= 0.97


def _spot(layout: Part, traces: Sequence[Any], shape: Mapping[str, Any], inside: float) -> float:
    """Pixels from the left of the panels, about."""
    name = str(shape["xref"])
    axis = layout.get(f"xaxis{name[1:]}", {})
    logged = axis.get("type") == "log"
    given = [_number(end) for end in axis.get("range") or ()]
    low, high = given if len(given) == 2 else _ends(traces, name, logged=logged)
    at = math.log10(max(_number(shape["x0"]), 1e-300)) if logged else _number(shape["x0"])
    share = min(max((at - low) / (high - low), 0.0), 1.0) if high > low else 0.5
    start, end = axis.get("domain", (0.0, 1.0))
    return (start + share * (end - start)) * inside


def _ends(traces: Sequence[Any], name: str, *, logged: bool) -> tuple[float, float]:
    there = [np.asarray(_of(each, "x")) for each in traces if (_of(each, "xaxis") or "x") == name and "x" in each]
    drawn = np.concatenate([[], *(each.astype(float) for each in there if each.dtype.kind in "iuf")])
    drawn = np.log10(drawn[drawn > 0]) if logged else drawn[np.isfinite(drawn)]
    return (float(drawn.min()), float(drawn.max())) if len(drawn) else (0.0, 0.0)


def _entries(traces: Sequence[Any], layout: Part) -> list[str]:
    """What the legend has that goes above the panels; none where there is no legend, or it has a place of its own."""
    if layout.get("showlegend") is False or {"x", "y", "orientation"} & {*layout.get("legend", {})}:
        return []
    shown = [each for each in traces if _of(each, "showlegend") is not False and _of(each, "name")]
    asked = layout.get("showlegend") or any(_of(each, "showlegend") for each in shown)
    return [str(each["name"]) for each in shown] if len(shown) > 1 or asked else []


def short_names(names: Sequence[str]) -> list[str]:
    """'W_Q' of 'blocks.0.attn.W_Q', where that tells all of them apart; else as they are."""
    last = [re.sub(r"^[\w.-]+\.(?=[A-Za-z_]\w*$)", "", name) for name in names]
    return last if len({*last}) == len({*names}) else [*names]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _of(trace: Any, name: str) -> Any:
    """What a trace says; None where it says nothing."""
    return trace[name] if name in trace else None  # noqa: SIM401  (plotly's traces have no `get`)
