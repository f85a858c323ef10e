"""What the parts of a figure are called, in plain words: its axes, colours, panels and traces."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["axis_name", "colour_name", "counts_names", "panel_names", "plain", "scene_name", "trace_names", "unlike"]

Part = Mapping[str, Any]
"""A trace or a layout, or a part of one, as plotly writes it to JSON."""

_ON_PAPER = ("paper", "paper")
_NEAR = 0.02
"""Of a figure's height: how far from the top of its panel a panel's title stands at most."""


def plain(text: object) -> str:
    """The text in one line, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", str(text or ""))).split())


def axis_name(layout: Part, name: str) -> str:
    """The title of the axis 'x2', or of the one whose numbers it shares; "" where there is none."""
    axis = _axis(layout, name)
    title = _title(axis)
    if title:
        return title
    if "matches" in axis:
        return _title(_axis(layout, axis["matches"]))
    if axis.get("title", {}).get("text") is None:
        return ""
    # An empty title is one that a panel beside it shows for both; or the one panel that has any, for all.
    others = [key for key in layout if re.fullmatch(rf"{name[0]}axis\d*", key) and _title(layout[key])]
    beside = [_title(layout[key]) for key in others if _domain(layout, key) == _domain(layout, name)]
    shown = {*beside} or {_title(layout[key]) for key in others}
    return shown.pop() if len(shown) == 1 else ""


def counts_names(layout: Part, name: str) -> bool:
    """Whether names, not numbers, are along the axis 'x2'."""
    return _axis(layout, name).get("type") in ("category", "multicategory")


def scene_name(layout: Part, scene: str, letter: str) -> str:
    """The title of an axis of a figure in space; "" where there is none."""
    return _title(layout.get(scene, {}).get(f"{letter}axis", {}))


def colour_name(layout: Part, part: Part) -> str:
    """The title of the colour bar of a trace or of its markers; "" where there is none."""
    shared = layout.get(part.get("coloraxis", ""), {})
    return _title(shared.get("colorbar", {})) or _title(part.get("colorbar", {}))


def panel_names(layout: Part, panels: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The title at the top of each panel, given by its axes ('x2', 'y2'); its number where nothing stands there."""
    names: dict[tuple[str, str], str] = {}
    for number, panel in enumerate(panels, start=1):
        (left, right), (_, top) = (_domain(layout, name) for name in panel)
        notes = [note for note in layout.get("annotations", ()) if (note.get("xref"), note.get("yref")) == _ON_PAPER]
        titles = [
            plain(note.get("text"))
            for note in notes
            if left <= note.get("x", -1) <= right and abs(note.get("y", -1) - top) < _NEAR
        ]
        title = next((title for title in titles if title and not title.startswith("⚠")), f"panel {number}")
        names[panel] = unlike(title, names.values())
    return names


def trace_names(traces: Sequence[Part]) -> list[str]:
    """What each trace is called: by its name, by its legend group, or by the band that it bounds; else ""."""
    names = []
    for trace, after in zip(traces, [*traces, {}][1:], strict=True):
        own = plain(trace.get("name"))
        group = plain(trace.get("legendgroup"))
        if after.get("fill") == "tonexty" and own in ("", plain(after.get("name"))):
            names.append(f"{plain(after.get('name')) or plain(after.get('legendgroup')) or 'band'}, from")
        elif trace.get("fill") == "tonexty" and names and names[-1].endswith(", from"):
            names.append(f"{own or group or 'band'}, to")
        else:
            names.append(own or group)
    return names


def unlike(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    others = set(taken)
    if name not in others:
        return name
    return next(numbered for n in range(2, len(others) + 3) if (numbered := f"{name} ({n})") not in others)


def _axis(layout: Part, name: str) -> Part:
    return layout.get(f"{name[0]}axis{name[1:]}", {})


def _domain(layout: Part, name: str) -> tuple[float, float]:
    """Where an axis begins and ends, as shares of the figure; name: 'x2' or 'xaxis2'."""
    axis = layout.get(name if "axis" in name else f"{name[0]}axis{name[1:]}", {})
    start, end = axis.get("domain", (0.0, 1.0))
    return float(start), float(end)


def _title(part: Part) -> str:
    return plain(part.get("title", {}).get("text"))
