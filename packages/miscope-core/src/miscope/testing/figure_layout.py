"""Where things lie in a figure of a card's size, by its layout alone: what is too small, and what lies on what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["CARD", "Frame", "crowded", "far_from_bar", "framed", "panel_sizes"]

_LETTER = 6.0
"""Pixels across of a letter of 11, about."""
_LINE = 14.0
"""Pixels of a line of such letters."""
_TICKS, _TITLE = 17.0, 20.0
"""Pixels below a panel that its ticks with their numbers take, and its title."""
_MARKS, _NUMBERS, _UPRIGHT = 8.0, 26.0, 20.0
"""Pixels left of a panel for the marks of ticks, for their numbers, and for a title that is turned."""
_BAR = 76.0
"""Pixels that a colour bar takes right of the plot, with its numbers and its title."""
_LOWEST, _TALLEST = 340, 720
_TAG = re.compile(r"<[^>]*>")


@final
@dataclass(frozen=True, slots=True)
class Frame:
    """Pixels of a chart, and of the margins around its plot."""

    width: float
    height: float
    left: float = 64
    right: float = 24
    top: float = 30
    bottom: float = 48

    @property
    def across(self) -> float:
        """Of the plot."""
        return self.width - self.left - self.right

    @property
    def up(self) -> float:
        """Of the plot."""
        return self.height - self.top - self.bottom


CARD = 440
"""Pixels across of a chart where three cards stand beside each other on a page of 1,440."""


@final
@dataclass(frozen=True, slots=True)
class _Box:
    """What lies somewhere, in pixels from the lower left corner of the plot."""

    what: str
    left: float
    low: float
    right: float
    high: float

    def lies_on(self, other: _Box) -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        up = min(self.high, other.high) - max(self.low, other.low)
        return across > 1.5 and up > 1.5


def framed(layout: Mapping[str, Any], width: float = CARD) -> Frame:
    """The frame that a card of that width gives a figure: as high as the rows of its panels need."""
    rows = {round(panel.low, 2) for panel in _panels(layout, Frame(1, 1, 0, 0, 0, 0))}
    height = max(_LOWEST, min(180 + 120 * max(len(rows), 1), _TALLEST))
    bars = _upright_bars(layout)
    top = max(14.0, layout.get("margin", {}).get("t", 64) - 50.0)
    legend = _LINE if layout.get("showlegend") and not _placed_legend(layout) else 0.0
    return Frame(width, height, right=24 + (_BAR if bars else 0.0), top=top + legend)


def panel_sizes(layout: Mapping[str, Any], frame: Frame) -> dict[str, tuple[float, float]]:
    """Pixels (across, up) of each panel, by its axes 'x2y2'."""
    return {panel.what: (panel.right - panel.left, panel.high - panel.low) for panel in _panels(layout, frame)}


def crowded(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], frame: Frame) -> list[str]:
    """What lies on what: words of one panel on another or on its words; [] where all have room."""
    panels = [*_panels(layout, frame)]
    words = [*_words(layout, frame, panels, _numbers_beside(traces)), *_lying_bar(layout, frame)]
    found = []
    for i, one in enumerate(words):
        owner = _owner(one)
        found += [f"{one.what} on panel {p.what}" for p in panels if p.what != owner and one.lies_on(p)]
        found += [
            f"{one.what} on {other.what}" for other in words[i + 1 :] if _owner(other) != owner and one.lies_on(other)
        ]
    return found


def _owner(box: _Box) -> str:
    return box.what.rpartition(" of ")[2]


def far_from_bar(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], frame: Frame) -> float:
    """Pixels from the right edge of a square map that is alone to the side of the plot where its colour bar stands."""
    maps = [trace for trace in traces if trace.get("type") == "heatmap"]
    x, y = layout.get("xaxis", {}), layout.get("yaxis", {})
    square = y.get("scaleanchor") == "x" and "domain" in (x.get("constrain"), y.get("constrain"))
    if len(maps) != 1 or not square or len([*_panels(layout, frame)]) != 1 or not _upright_bars(layout):
        return 0.0
    rows, columns = np.shape(maps[0]["z"])
    free = frame.across - columns * min(frame.across / columns, frame.up / rows)
    return free * {"left": 1.0, "center": 0.5, "right": 0.0}[x.get("constraintoward", "center")]


def _lying_bar(layout: Mapping[str, Any], frame: Frame) -> Iterator[_Box]:
    """The colour bar that a card lays above the plot of a view over training, with its numbers and its title."""
    for key in _bars(layout):
        if key not in _upright_bars(layout) and layout[key].get("colorbar", {}).get("orientation") != "h":
            title = layout[key].get("colorbar", {}).get("title", {}).get("text", "")
            wide = max(0.45 * frame.across, _LETTER * len(_TAG.sub("", title)))
            yield _Box(
                "the colour bar of the figure", frame.across - wide, frame.up, frame.across, frame.up + 3 * _LINE
            )


def _bars(layout: Mapping[str, Any]) -> list[str]:
    return [key for key in layout if key.startswith("coloraxis") and layout[key].get("showscale") is not False]


def _panels(layout: Mapping[str, Any], frame: Frame) -> Iterator[_Box]:
    """One for each pair of axes that belong to each other."""
    seen = set()
    for y in _axes(layout, "y"):
        axis = layout.get(_key(y), {})
        if axis.get("overlaying") or axis.get("visible") is False:
            continue
        for x in _beside(layout, y):
            across, up = layout.get(_key(x), {}).get("domain", (0, 1)), axis.get("domain", (0, 1))
            place = (*across, *up)
            if place in seen:
                continue
            seen.add(place)
            ends = (across[0] * frame.across, up[0] * frame.up, across[1] * frame.across, up[1] * frame.up)
            yield _Box(f"{x}{y}", *ends)


def _axes(layout: Mapping[str, Any], letter: str) -> list[str]:
    names = [key.replace("axis", "") for key in layout if re.fullmatch(rf"{letter}axis\d*", key)]
    return names or [letter]


def _key(name: str) -> str:
    return f"{name[0]}axis{name[1:]}"


def _beside(layout: Mapping[str, Any], y: str) -> list[str]:
    """The x axes below or above which that y axis stands."""
    anchor = layout.get(_key(y), {}).get("anchor", "x")
    mine = anchor if anchor != "free" else "x"
    others = [x for x in _axes(layout, "x") if layout.get(_key(x), {}).get("anchor", "y") == y]
    return list(dict.fromkeys([mine, *others]))


def _numbers_beside(traces: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Pixels that numbers or names take left of y axes: of cells by how many there are, of others four figures."""
    wide: dict[str, float] = {}
    for trace in traces:
        longest = _longest(trace)
        if longest is not None:
            y = trace.get("yaxis", "y")
            wide[y] = max(wide.get(y, 0.0), _LETTER * longest)
    return wide


def _longest(trace: Mapping[str, Any]) -> int | None:
    rows = trace.get("y")
    if rows is None and trace.get("type") == "heatmap":
        return len(str(len(trace["z"])))
    names = [each for each in rows if isinstance(each, str)] if isinstance(rows, list | tuple) else []
    return max(map(len, names), default=None)


def _words(
    layout: Mapping[str, Any], frame: Frame, panels: Sequence[_Box], numbers: Mapping[str, float]
) -> Iterator[_Box]:
    for panel in panels:
        x, y = re.findall(r"[xy]\d*", panel.what)
        across, up = layout.get(_key(x), {}), layout.get(_key(y), {})
        yield from _below(across, y, panel)
        yield from _left(up, x, panel, numbers.get(y, _NUMBERS))
    for note in layout.get("annotations", ()):
        if note.get("xref") == note.get("yref") == "paper" and not note.get("showarrow") and not note.get("textangle"):
            yield _note(note, frame, panels)


def _below(axis: Mapping[str, Any], y: str, panel: _Box) -> Iterator[_Box]:
    """What stands below a panel, of an axis that is drawn there: its numbers, and its title at their middle."""
    if axis.get("visible") is False or axis.get("side") == "top" or not _beside_it(axis, y, panel.low):
        return
    low = panel.low - (0.0 if axis.get("showticklabels") is False else _TICKS)
    yield _Box(f"numbers below of {panel.what}", panel.left, low, panel.right, panel.low)
    wide, lines = _size(axis.get("title", {}).get("text"))
    middle = (panel.left + panel.right) / 2
    place = (middle - wide / 2, low - _TITLE - (lines - 1) * _LINE, middle + wide / 2, low)
    if lines:
        yield _Box(f"title below of {panel.what}", *place)


def _left(axis: Mapping[str, Any], x: str, panel: _Box, numbers: float) -> Iterator[_Box]:
    """The same left of a panel, where a title is turned."""
    if axis.get("visible") is False or axis.get("side") == "right" or not _beside_it(axis, x, panel.left):
        return
    left = panel.left - (0.0 if axis.get("showticklabels") is False else _MARKS + numbers)
    yield _Box(f"numbers left of {panel.what}", left, panel.low, panel.left, panel.high)
    high, lines = _size(axis.get("title", {}).get("text"))
    middle = (panel.low + panel.high) / 2
    place = (left - _UPRIGHT - (lines - 1) * _LINE, middle - high / 2, left, middle + high / 2)
    if lines:
        yield _Box(f"title left of {panel.what}", *place)


def _beside_it(axis: Mapping[str, Any], other: str, edge: float) -> bool:
    """Whether an axis is drawn at that edge of a panel: bound to the other axis, or free at the foot of the plot."""
    anchor = axis.get("anchor", other[0])
    return anchor == other or (anchor == "free" and edge < 1)


def _size(text: str | None) -> tuple[float, int]:
    """Pixels along a text, and how many lines it has; (0, 0) of none."""
    lines = _TAG.sub("\n", text or "").replace("\n\n", "\n").split("\n") if text else []
    return _LETTER * max(map(len, lines), default=0), len(lines)


def _note(note: Mapping[str, Any], frame: Frame, panels: Sequence[_Box]) -> _Box:
    """Where an annotation lies; it is of the panel at whose top it stands."""
    lines = [_TAG.sub("", line) for line in str(note.get("text", "")).split("<br>")]
    wide, high = _LETTER * max(map(len, lines)), _LINE * len(lines)
    left = note["x"] * frame.across + note.get("xshift", 0) - wide * _AT[note.get("xanchor", "center")]
    low = note["y"] * frame.up + note.get("yshift", 0) - high * _AT[note.get("yanchor", "middle")]
    above = [
        p.what
        for p in panels
        if abs(p.high - note["y"] * frame.up) < 1 and p.left - 1 <= left + wide / 2 <= p.right + 1
    ]
    return _Box(f"{lines[0]!r} of {above[0] if above else 'the figure'}", left, low, left + wide, low + high)


_AT = {"left": 0.0, "center": 0.5, "right": 1.0, "bottom": 0.0, "middle": 0.5, "top": 1.0, "auto": 0.5}


def _placed_legend(layout: Mapping[str, Any]) -> bool:
    return layout.get("legend", {}).get("x") is not None


def _upright_bars(layout: Mapping[str, Any]) -> list[str]:
    bars = [key for key in _bars(layout) if layout[key].get("colorbar", {}).get("orientation") != "h"]
    over = layout.get("meta", {}).get("miscope", {}).get("time_axis") == "x"
    return [] if over and len(bars) == 1 and not layout.get("showlegend") else bars
