"""The figures of several variants as one: each variant's traces in its colour, in one pair of axes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from miscope.figures.comparing.compared_figure import (
    ComparedFigure,
    NotCompared,
    Parts,
    in_parts,
    put_together,
    time_axes,
    translucent,
)
from miscope.figures.comparing.matching import is_null, named_in, panel_of
from miscope.figures.comparing.shared_layout import shared_layout
from miscope.figures.figure_style import NULL
from miscope.figures.locked_ranges import lock_ranges

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["DASHES", "overlay"]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Styles of line that tell the curves of one variant apart, and so the most of them."""
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
_PATTERNS = ("", "/", ".", "x", "-", "+")
_MOST_NAMED = 3
"""Titles of axes that are named."""

_WHAT = {"heatmap": "heat maps", "contour": "heat maps", "table": "tables", "surface": "surfaces"}
_LAID = ("scatter", "scattergl", "scatter3d", "bar", "box", "violin", "histogram")
_EXTRA = re.compile(r"<extra>.*?</extra>", re.DOTALL)


def overlay(members: Sequence[ComparedFigure]) -> Figure | NotCompared:
    """One figure with the traces of all, a colour for each variant and a style of line for each of its curves.

    Where a panel has more curves of one variant than there are styles, the first are drawn, and the figure says so. A
    legend has the variants, then the styles. Axes of time that differ in their title have both. NotCompared where
    figures are no curves, points or bars, have different panels, or other axes that differ in their title.
    """
    figures = _copies(members)
    lock_ranges(figures)
    drawn = [in_parts(figure) for figure in figures]
    if (reason := _why_not(drawn)) is not None:
        return NotCompared(reason=reason)
    drawn = _without_other_words(drawn)
    names = [named_in(parts.traces) for parts in drawn]
    styles, left_out = _styles(names)
    several = len({name for panel in styles.values() for name in panel}) > 1
    laid: list[dict[str, Any]] = []
    for place, (member, parts) in enumerate(zip(members, drawn, strict=True)):
        own = [trace for trace in parts.traces if _style(trace, styles) is not None]
        made = [_of_variant(trace, member, _style(trace, styles) or 0, several=several) for trace in own]
        laid += [_unlettered(trace) for trace in made] if place else made
        laid += [_entry(own[0], member.label, member.colour)] if own else []
    if several and len({tuple(panel) for panel in styles.values()}) == 1:
        laid += [_style_entry(drawn[0].traces[0], name, at) for name, at in next(iter(styles.values())).items()]
    layout = shared_layout(drawn, members)
    if layout.get("barmode") not in ("stack", "relative"):
        layout["barmode"] = "group"
    layout["showlegend"] = True
    if left_out:
        _note(layout, f"{left_out} more curves of each variant: see small multiples")
    return put_together(Parts(traces=laid, layout=layout, template=drawn[0].template))


def _copies(members: Sequence[ComparedFigure]) -> list[Figure]:
    return [put_together(in_parts(member.figure)) for member in members]


def _why_not(drawn: Sequence[Parts]) -> str | None:
    """Why figures cannot be laid over each other, as a clause."""
    types = {trace["type"] for parts in drawn for trace in parts.traces}
    odd = sorted(types - {*_LAID})
    if odd:
        return f"{_WHAT.get(odd[0], f'traces of type {odd[0]!r}')} would hide each other"
    if not types:
        return "nothing is drawn"
    known = {key for key in drawn[0].layout if re.match(r"[xy]axis|scene", key)}
    for parts in drawn[1:]:
        if {key for key in parts.layout if re.match(r"[xy]axis|scene", key)} != known:
            return "the variants have different panels"
    return _other_axes([parts.layout for parts in drawn])


def _other_axes(layouts: Sequence[dict[str, Any]]) -> str | None:
    """Which axes mean something else for each, such as components of each one's own; time has a word of each family."""
    timed = time_axes(layouts[0])
    for key in (key for key in layouts[0] if re.fullmatch(r"[xy]axis\d*", key)):
        titles = [layout[key].get("title", {}).get("text") or "" for layout in layouts]
        several = [*dict.fromkeys(filter(None, titles))]
        if len(several) > 1 and key.replace("axis", "") not in timed:
            listed = ", ".join(f"\u201c{title}\u201d" for title in several[:_MOST_NAMED])
            more = f" and {len(several) - _MOST_NAMED} more" if len(several) > _MOST_NAMED else ""
            return f"each has axes of its own: {listed}{more}"
    return None


def _styles(
    names: Sequence[Mapping[tuple[str, str], Sequence[str]]],
) -> tuple[dict[tuple[str, str], dict[str, int]], int]:
    """By panel and name the number of a style, and how many names there are beyond the styles."""
    together: dict[tuple[str, str], dict[str, None]] = {}
    for one in names:
        for panel, those in one.items():
            together.setdefault(panel, {}).update(dict.fromkeys(those))
    left_out = max((len(those) - len(DASHES) for those in together.values()), default=0)
    styles = {
        panel: {name: at for at, name in enumerate(those) if at < len(DASHES)} for panel, those in together.items()
    }
    return styles, max(left_out, 0)


def _style(trace: Mapping[str, Any], styles: Mapping[tuple[str, str], Mapping[str, int]]) -> int | None:
    """The number of its style, 0 of one without a name; None where there was none left."""
    known = styles.get(panel_of(trace), {})
    if is_null(trace):
        return 0
    name = str(trace.get("legendgroup") or trace.get("name") or "")
    if name in known or not known:
        return known.get(name, 0)
    named = trace.get("showlegend") is not False and bool(name)
    return None if named else 0


def _without_other_words(drawn: Sequence[Parts]) -> list[Parts]:
    """Without traces of words alone, save those of the first where all say the same: others would lie on each other."""
    words = [[list(map(str, t.get("text", ()))) for t in parts.traces if t.get("mode") == "text"] for parts in drawn]
    kept = all(each == words[0] for each in words)
    bare = [replace(parts, traces=[t for t in parts.traces if t.get("mode") != "text"]) for parts in drawn]
    return [drawn[0] if kept else bare[0], *bare[1:]]


def _unlettered(trace: dict[str, Any]) -> dict[str, Any]:
    """Without the words beside its points: those of the first stand near by."""
    mode = "+".join(part for part in str(trace.get("mode", "")).split("+") if part != "text")
    return {**trace, "mode": mode} if mode and "text" in str(trace.get("mode")) else trace


def _of_variant(trace: dict[str, Any], member: ComparedFigure, style: int, *, several: bool) -> dict[str, Any]:
    name = f"{member.label} · {trace['name']}" if several and trace.get("name") else member.label
    made = {**trace, "name": name, "legendgroup": member.label, "showlegend": False}
    made.pop("legendrank", None)
    if "hovertemplate" in trace:
        extra = f"<extra>{name}</extra>"
        made["hovertemplate"] = _EXTRA.sub("", trace["hovertemplate"]) + extra
    if is_null(trace):
        return made
    if trace["type"] in ("scatter", "scattergl", "scatter3d"):
        made["line"] = _plain_line(trace) | {"color": member.colour, "dash": DASHES[style]}
        if trace.get("fill", "none") != "none" or trace.get("stackgroup"):
            made["fillcolor"] = translucent(member.colour, 0.15)
    if trace.get("stackgroup"):
        made["stackgroup"] = f"{trace['stackgroup']} {member.label}"
    marker = {k: v for k, v in trace.get("marker", {}).items() if k not in _OF_A_SCALE}
    if trace["type"] == "bar" or marker or "markers" in str(trace.get("mode", "")):
        made["marker"] = {**marker, "color": member.colour, **_mark(trace, style)}
    for bars in ("error_x", "error_y"):
        if bars in trace:
            made[bars] = {**trace[bars], "color": member.colour}
    if trace["type"] == "bar":
        made["offsetgroup"] = member.label
    return made


_OF_A_SCALE = ("coloraxis", "colorscale", "colorbar", "showscale", "cmin", "cmax", "cmid", "cauto", "autocolorscale")


def _plain_line(trace: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in trace.get("line", {}).items() if key not in _OF_A_SCALE}


def _mark(trace: Mapping[str, Any], style: int) -> dict[str, Any]:
    if not style:
        return {}
    if trace["type"] == "bar":
        return {"pattern": {"shape": _PATTERNS[style]}}
    return {} if isinstance(trace.get("marker", {}).get("symbol"), list | tuple) else {"symbol": _SYMBOLS[style]}


def _entry(beside: Mapping[str, Any], label: str, colour: str) -> dict[str, Any]:
    """What stands in the legend for a variant, without a point of its own; a press there hides all of the variant."""
    line = {"color": colour, "width": 3, "dash": "solid"}
    return {**_nowhere(beside), "name": label, "legendgroup": label, "showlegend": True, "line": line}


def _style_entry(beside: Mapping[str, Any], name: str, style: int) -> dict[str, Any]:
    line = {"color": NULL, "width": 1.5, "dash": DASHES[style]}
    return {**_nowhere(beside), "name": name, "legendgroup": f"style {name}", "showlegend": True, "line": line}


def _nowhere(beside: Mapping[str, Any]) -> dict[str, Any]:
    if "scene" in beside or beside["type"] == "scatter3d":
        return {"type": "scatter3d", "mode": "lines", "x": [None], "y": [None], "z": [None], "hoverinfo": "skip"}
    axes = {name: beside[name] for name in ("xaxis", "yaxis") if name in beside}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "hoverinfo": "skip", **axes}


def _note(layout: dict[str, Any], words: str) -> None:
    title = layout.get("title", {})
    before = title.get("subtitle", {}).get("text")
    text = " · ".join(part for part in (before, words) if part)
    layout["title"] = {**title, "subtitle": {**title.get("subtitle", {}), "text": text}}
