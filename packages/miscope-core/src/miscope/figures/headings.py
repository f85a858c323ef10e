"""Titles that end where their figure does: longer ones are broken into lines, and the plot makes room for them."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["BELOW", "TITLE", "fit_headings", "lines_of"]

TITLE = 72
"""Letters of a title that fit beside the margins of a figure of plotly's 700 pixels, in the widest of the fonts."""

BELOW = 104
"""The same of the smaller line below it."""

_HEIGHTS = {TITLE: 20, BELOW: 15}
"""Pixels of a further line."""

_SEPARATOR = " · "
_END = _SEPARATOR.rstrip()
_WIDTH = 700
_MARGINS = 64 + 24
_TAG = re.compile(r"<[^>]*>")


def fit_headings(figure: Figure) -> int:
    """Break the title and the line below it where the figure ends, and move the plot down; by how many pixels."""
    layout: Any = figure.layout
    share = ((layout.width or _WIDTH) - _MARGINS) / (_WIDTH - _MARGINS)
    extra = 0
    for part, letters in ((layout.title, TITLE), (layout.title.subtitle, BELOW)):
        lines = lines_of(part.text or "", max(int(letters * share), 20))
        if len(lines) > 1:
            part.text = "<br>".join(lines)
            extra += (len(lines) - 1) * _HEIGHTS[letters]
    if extra:
        top = layout.margin.t
        layout.margin.t = (layout.template.layout.margin.t if top is None else top) + extra
    return extra


def lines_of(text: str, letters: int) -> list[str]:
    """The text in lines of at most so many letters: broken between its parts first, within one only where it must be.

    Lines that are there already stay.
    """
    lines: list[str] = []
    for line in text.split("<br>"):
        lines += _broken(line, letters)
    return lines


def _broken(text: str, letters: int) -> list[str]:
    lines: list[str] = []
    for part in text.split(_SEPARATOR):
        joined = f"{lines[-1]}{_SEPARATOR}{part}" if lines else part
        if _length(joined) + len(_END) <= letters:
            lines[-1:] = [joined]
            continue
        if lines:
            lines[-1] += _END
        short = _length(part) + len(_END) <= letters or "<" in part
        lines += [part] if short else textwrap.wrap(part, letters - len(_END), break_on_hyphens=False)
    return lines


def _length(text: str) -> int:
    return len(_TAG.sub("", text))
