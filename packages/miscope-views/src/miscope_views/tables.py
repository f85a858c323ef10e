"""Tables that hold what is in them: letters as large as fit, long words broken, and a figure as tall as the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from miscope.figures.figure_style import NULL

__all__ = ["HEIGHT", "WIDTH", "table", "tall"]

WIDTH: Final = 612
"""Pixels between the margins of a figure of plotly's 700."""

HEIGHT: Final = 500
"""Pixels of a figure that nobody asked to be taller."""

_SIZES = (12, 11, 10, 9)
_LETTER = 0.58
"""Width of a letter in units of its size, in the widest of the fonts; those of heads are bold."""
_BOLD = 1.1
_PADDING = 16
_AROUND = 64 + 48 + 16
"""Margins above and below, and the table's own edge."""
_SHORTER = (16, 12, 9, 6)
"""Letters to which words of cells are broken, in turn, where even the smallest letters leave no room."""


def table(columns: Mapping[str, Sequence[str]], colours: Sequence[Sequence[str]] | None = None) -> dict[str, Any]:
    """The trace of a table with these columns of cells under their heads; colours: of every cell, by column."""
    heads, cells = list(columns), [list(map(str, column)) for column in columns.values()]
    for letters in _SHORTER:
        if sum(_widths(heads, cells, _SIZES[-1])) <= WIDTH:
            break
        cells = [[_broken(str(cell), letters) for cell in column] for column in columns.values()]
    size = next((one for one in _SIZES if sum(_widths(heads, cells, one)) <= WIDTH), _SIZES[-1])
    plain = {"align": "left", "fill": {"color": "rgba(0,0,0,0)"}, "line": {"color": NULL, "width": 0.5}}
    font = {"size": size} | ({"color": [list(column) for column in colours]} if colours else {})
    row = round(size * 1.4) + 10
    return {
        "type": "table",
        "columnwidth": _widths(heads, cells, size),
        "header": {**plain, "values": [f"<b>{head}</b>" for head in heads], "font": {"size": size}, "height": row},
        "cells": {**plain, "values": cells, "font": font, "height": row},
    }


def tall(trace: Mapping[str, Any], more: int = 0) -> int:
    """Pixels of a figure that shows the whole table, and so many more of something else."""
    size, widths = trace["header"]["font"]["size"], trace["columnwidth"]
    share = max(WIDTH / sum(widths), 1.0)
    rows = zip(*trace["cells"]["values"], strict=True)
    lines = [max(map(_lines, head, widths, [share] * len(widths), [size] * len(widths))) for head in (_heads(trace),)]
    lines += [max(_lines(cell, wide, share, size) for cell, wide in zip(row, widths, strict=True)) for row in rows]
    needed = _AROUND + more + sum(round(size * 1.4) * count + 10 for count in lines)
    return max(needed, HEIGHT)


def _heads(trace: Mapping[str, Any]) -> list[str]:
    return [head.removeprefix("<b>").removesuffix("</b>") for head in trace["header"]["values"]]


def _lines(text: str, wide: float, share: float, size: int) -> int:
    """Lines of a cell of that width, stretched to the share of the figure that it gets."""
    room = (wide * share - _PADDING) / (_LETTER * size)
    count = 0
    for line in text.split("<br>"):
        count, left = count + 1, room
        for word in line.split():
            if len(word) > left < room:
                count, left = count + 1, room
            left -= len(word) + 1
    return count


def _widths(heads: Sequence[str], cells: Sequence[Sequence[str]], size: int) -> list[float]:
    """Pixels that each column must have, so that its longest word stays in one piece."""
    return [
        _PADDING + size * _LETTER * max(_BOLD * _longest(head), *map(_longest, column), 3)
        for head, column in zip(heads, cells, strict=True)
    ]


def _longest(text: str) -> int:
    return max((len(word) for word in text.replace("<br>", " ").split()), default=0)


def _broken(text: str, letters: int) -> str:
    """The text with its long words broken behind hyphens and the like, and where there are none anywhere."""
    pieces = [_pieces(word, letters) for word in text.split(" ")]
    # Plotly wraps no line of a text that is broken anywhere.
    return ("<br>" if any("<br>" in piece for piece in pieces) else " ").join(pieces)


def _pieces(word: str, letters: int) -> str:
    lines = [""]
    for part in _parts(word, letters):
        if len(lines[-1]) + len(part) > letters and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "<br>".join(lines)


def _parts(word: str, letters: int) -> list[str]:
    parts = [""]
    for letter in word:
        parts[-1] += letter
        if letter in "-/_@," or len(parts[-1]) >= letters:
            parts.append("")
    return [part for part in parts if part]
