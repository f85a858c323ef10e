"""One layout for figures of several variants: what all have stays, titles that differ stand together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from miscope.figures.comparing.compared_figure import ComparedFigure, Parts, time_axes

__all__ = ["about_all", "shared_layout"]

_MOST_TITLES = 2
"""Titles of one axis that are written out; more say nothing."""

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
    """Those of all once, without a label where they are one variant's, and then in its colour."""
    own = [[dict(shape) for shape in parts.layout.get("shapes", ())] for parts in drawn]
    bare = [{_place(shape) for shape in shapes} for shapes in own]
    shared = set.intersection(*bare) if bare else set()
    axes = time_axes(drawn[0].layout)
    kept = [shape for shape in own[0] if _place(shape) in shared]
    for member, shapes in zip(members, own, strict=True):
        for shape in shapes:
            if _place(shape) not in shared:
                line = {**shape.get("line", {}), "color": member.colour}
                label = {} if shape.get("name") == "event" or not axes else shape.get("label", {})
                kept.append({**shape, "line": line, "label": label})
    return [_labelled_once(shape) for shape in kept]


def _labelled_once(shape: dict[str, Any]) -> dict[str, Any]:
    """A mark that all variants share names what it marks, and no step: that is another in each."""
    text = shape.get("label", {}).get("text")
    if shape.get("name") != "event" or not text:
        return shape
    return {**shape, "label": {**shape["label"], "text": re.sub(r" [\d,]+$", "", text)}}


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
