"""What a logarithmic axis cannot place: counted beside the figure, since plotly leaves it out without a word."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.axes import axis_of
from miscope.figures.figure_style import caution

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["note_left_out"]

_BARS = ("bar", "histogram")


def note_left_out(figure: Figure, *, clocks: Collection[str] = ()) -> None:
    """Add a note of how many values are not above 0 where their axis is logarithmic; nothing where there are none.

    clocks: axes that count steps ('x', 'x2'), whose title says that step 0 is not shown. Nor is a bar of 0 missed.
    """
    hidden = total = 0
    for trace in figure.data:
        places = [_not_above_0(figure, trace, letter) for letter in "xy" if axis_of(trace, letter) not in clocks]
        told = [place for place in places if place is not None]
        if told:
            size = min(len(place) for place in told)
            hidden += int(np.logical_or.reduce([place[:size] for place in told]).sum())
            total += size
    if not hidden:
        return
    words = f"⚠ {hidden:,} of {total:,} values are not above 0 and not drawn on a logarithmic axis"
    layout: Any = figure.layout
    there = [note for note in layout.annotations if str(note.text).startswith("⚠")]
    if there:
        there[0].text = f"{there[0].text} · {words.removeprefix('⚠ ')}"
    else:
        figure.add_annotation(caution(words))


def _not_above_0(figure: Figure, trace: Any, letter: str) -> np.ndarray | None:
    """Of each value, whether a logarithmic axis cannot place it; None where the axis is not, or holds no numbers."""
    name, layout = axis_of(trace, letter), figure.layout
    if name is None or trace[letter] is None:
        return None
    axis = f"{letter}axis{name[1:]}"
    if axis not in layout or layout[axis].type != "log":
        return None
    try:
        values = np.asarray(trace[letter], dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):  # names, dates
        return None
    return values < 0 if trace.type in _BARS else values <= 0
