"""The rows of the table as lines over parallel axes: which columns have an axis, and where each row crosses it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from miscope.tabulating.cell_text import written
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Cell, Column, Summary, is_nothing

__all__ = ["ParallelAxis", "parallel_axes"]

_MOST = 12
"""Axes: more have no room for their names."""
_FEW = 7
"""Values of one axis that each have a mark; also the words that an axis can have."""
_NOT_DRAWN = frozenset({"variant", "problem", "notes"})


@final
@dataclass(frozen=True, kw_only=True)
class ParallelAxis:
    """One column."""

    name: str
    marks: tuple[tuple[float, str], ...]
    """Places from 0 at the foot to 1 at the top, and what is written there."""
    places: tuple[float | None, ...]
    """Of each row; None where it has nothing there."""
    logarithmic: bool = False
    ends: tuple[float, float] | None = None
    """The numbers at its foot and its top; None of words."""


def parallel_axes(shown: ShownTable, fields: Sequence[Column] = ()) -> tuple[ParallelAxis, ...]:
    """Axes of the fields, then of the columns, that tell the rows apart: numbers, and words of which there are few.

    Numbers that are all positive and span more than a decade are spaced by their logarithms. Of a group it is the mean.
    fields: what has an axis beside the columns that are shown; of groups these alone.
    """
    columns = {column.name: column for column in (*([] if shown.in_groups else fields), *shown.columns)}
    found = (_axis(column, [row.cells.get(column.name) for row in shown.rows]) for column in columns.values())
    return tuple(axis for axis in found if axis is not None)[:_MOST]


def _axis(column: Column, cells: Sequence[Cell]) -> ParallelAxis | None:
    if column.name in _NOT_DRAWN:
        return None
    values = [cell.mean if isinstance(cell, Summary) else cell for cell in cells]
    if column.numeric:
        return _of_numbers(column.name, [_finite(value) for value in values])
    return _of_words(column.name, [None if is_nothing(value) else written(value) for value in values])


def _finite(value: Cell) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < math.inf else None


def _of_words(name: str, words: Sequence[str | None]) -> ParallelAxis | None:
    known = sorted({word for word in words if word})
    if not 1 < len(known) <= _FEW:
        return None
    at = {word: index / (len(known) - 1) for index, word in enumerate(known)}
    marks = tuple((place, word) for word, place in at.items())
    return ParallelAxis(name=name, marks=marks, places=tuple(at.get(word or "") for word in words))


def _of_numbers(name: str, values: Sequence[float | None]) -> ParallelAxis | None:
    known = sorted({value for value in values if value is not None})
    if len(known) < 2:
        return None
    low, high = known[0], known[-1]
    logarithmic = low > 0 and math.log10(high) - math.log10(low) > 1

    def place(value: float) -> float:
        begin, at, end = (math.log10(v) if logarithmic else v for v in (low, value, high))
        return (at - begin) / (end - begin)

    marked = known if len(known) <= _FEW else list(_round_ones(low, high, logarithmic))
    return ParallelAxis(
        name=name,
        marks=tuple((place(value), written(value)) for value in marked),
        places=tuple(None if value is None else place(value) for value in values),
        logarithmic=logarithmic,
        ends=(low, high),
    )


def _round_ones(low: float, high: float, logarithmic: bool) -> Iterator[float]:
    """Powers of ten, or multiples of 1, 2 or 5 times one, from low to high; at most about eight."""
    if logarithmic:
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        every = (last - first) // _FEW + 1
        yield from (10.0**power for power in range(first, last + 1, every))
        return
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * next((factor for factor in (1, 2, 5) if factor * size >= rough), 10)
    yield from (count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1))
