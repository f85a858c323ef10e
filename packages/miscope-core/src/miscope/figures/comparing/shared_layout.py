"""One layout for figures of several variants: what all have stays, titles that differ stand together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from miscope.figures.comparing.compared_figure import ComparedFigure, Parts, time_axes

__all__ = ["about_all", "shared_layout"]

_MOST_TITLES = 2
"""Titles of one axis that are written out; more say nothing."""

_APART = 0.04
"""Share of the axis that the words of two marks stand apart."""

_FRAME = re.compile(r"[xy]axis\d*")


def shared_layout(drawn: Sequence[Parts], members: Sequence[ComparedFigure]) -> dict[str, Any]:
    """That of the first, for all: marks of a variant in its colour, one of those at the same place, no colour bar."""
    first = drawn[0].layout
    layout = {key: value for key, value in first.items() if not key.startswith("coloraxis")}
    for key in [key for key in layout if _FRAME.fullmatch(key)]:
        texts = [parts.layout.get(key, {}).get("title", {}).get("text") or "" for parts in drawn]
        layout[key] = {**layout[key], "title": {**layout[key].get("title", {}), "text": _joined(texts)}}
    below = [_subtitle(parts.layout) for parts in drawn]
    if len(set(below)) > 1 and "subtitle" in layout.get("title", {}):
        layout["title"] = {key: value for key, value in layout["title"].items() if key != "subtitle"}
    layout["shapes"] = _shapes(drawn, members)
    layout["annotations"] = _annotations(drawn)
    layout["meta"] = about_all(drawn)
    return layout


def about_all(drawn: Sequence[Parts]) -> dict[str, Any]:
    """What the first says of its figure, of the variants of all."""
    meta = drawn[0].layout.get("meta", {})
    named = [parts.layout.get("meta", {}).get("miscope", {}).get("variant") for parts in drawn]
    names = [name for each in named for name in (each if isinstance(each, list | tuple) else [each])]
    return {**meta, "miscope": {**meta.get("miscope", {}), "variant": names}}


def _joined(texts: Sequence[str]) -> str:
    several = [text for text in dict.fromkeys(texts) if text]
    return " | ".join(several) if len(several) <= _MOST_TITLES else several[0]


def _subtitle(layout: Mapping[str, Any]) -> str:
    return layout.get("title", {}).get("subtitle", {}).get("text") or ""


def _shapes(drawn: Sequence[Parts], members: Sequence[ComparedFigure]) -> list[dict[str, Any]]:
    """Those of all once, and each variant's own in its colour; labels where there is room for the words."""
    own = [[dict(shape) for shape in parts.layout.get("shapes", ())] for parts in drawn]
    bare = [{_place(shape) for shape in shapes} for shapes in own]
    shared = set.intersection(*bare) if bare else set()
    axes = time_axes(drawn[0].layout)
    kept = [shape for shape in own[0] if _place(shape) in shared]
    for member, shapes in zip(members, own, strict=True):
        for shape in shapes:
            if _place(shape) not in shared:
                line = {**shape.get("line", {}), "color": member.colour}
                label = {**shape.get("label", {})} if axes else {}
                if label:
                    label["font"] = {**label.get("font", {}), "color": member.colour}
                kept.append({**shape, "line": line, "label": label})
    return _told_apart([_without_step(shape) for shape in kept])


def _without_step(shape: dict[str, Any]) -> dict[str, Any]:
    """A mark of an event names it, and no step: that is another in each variant."""
    text = shape.get("label", {}).get("text")
    if shape.get("name") != "event" or not text:
        return shape
    return {**shape, "label": {**shape["label"], "text": re.sub(r" -?[\d,.]+$", "", text)}}


def _told_apart(shapes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the label of a mark so near one with a label that words would lie on each other."""
    places = [at for at in map(_upright_at, shapes) if at is not None]
    least = _APART * (max(places) - min(0, *places)) if len(places) > 1 else 0.0
    told: list[float] = []
    made = []
    for shape in shapes:
        at = _upright_at(shape) if shape.get("label") else None
        crowded = at is not None and any(abs(at - other) < least for other in told)
        made.append({**shape, "label": {}} if crowded else shape)
        if at is not None and not crowded:
            told.append(at)
    return made


def _upright_at(shape: Mapping[str, Any]) -> float | None:
    """Where the mark of an event stands; None for one that lies, and for what else is drawn."""
    at = shape.get("x0")
    return at if shape.get("name") == "event" and at is not None and at == shape.get("x1") else None


def _place(shape: Mapping[str, Any]) -> tuple[Any, ...]:
    ends = (shape.get(end) for end in ("x0", "x1", "y0", "y1"))
    return (*(shape.get(word) for word in ("type", "xref", "yref", "path")), *ends)


def _annotations(drawn: Sequence[Parts]) -> list[dict[str, Any]]:
    """Those at the same place in all, each with what all say there."""
    listed = [[dict(each) for each in parts.layout.get("annotations", ())] for parts in drawn]
    kept = []
    for each in listed[0]:
        at = [next((other for other in those if _where(other) == _where(each)), None) for those in listed]
        if None not in at:
            kept.append({**each, "text": _joined([str(other.get("text") or "") for other in at if other])})
    return kept


def _where(annotation: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(annotation.get(word) for word in ("x", "y", "xref", "yref", "xanchor", "yanchor"))
