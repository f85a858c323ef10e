"""Variants that agree in some columns as one row: the mean of each number over them, and how sure it is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from miscope.maths.mean_interval import Scale, mean_interval
from miscope.tabulating.variant_table import Cell, Column, Row, Summary, telling_apart

__all__ = ["MEMBERS", "but_seeds", "grouped", "is_summed"]

MEMBERS = "n"
"""The column that counts the variants of a group."""

_SEED = re.compile(r"(.*_)?seed")


def but_seeds(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[str, ...]:
    """All columns that tell these rows apart but seeds: in groups by these, variants differ in seeds alone."""
    families = {row.cells.get("family") for row in rows}
    fields = tuple(name for name in telling_apart(columns, rows) if not _SEED.fullmatch(name))
    return (("family",) if len(families) > 1 else ()) + fields


def grouped(rows: Sequence[Row], columns: Sequence[Column], by: Sequence[str]) -> tuple[Row, ...]:
    """One row for all that have the same values in the columns `by`, in the order of their first.

    A number that was measured, and the last step, is a Summary: its mean and 95 % interval over the members that have
    one, on the scale of the quantity (`maths.mean_interval`). Any other is what all members have there, or nothing.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(repr(row.cells.get(name)) for name in by), []).append(row)
    return tuple(_one(members, columns) for members in groups.values())


def is_summed(column: Column) -> bool:
    """Whether a group has the mean of the column: of what was measured, and of how far its variants are."""
    return column.numeric and (column.part == "measure" or column.name == "step")


def _one(members: Sequence[Row], columns: Sequence[Column]) -> Row:
    cells: dict[str, Cell] = {MEMBERS: len(members)}
    for column in columns:
        found = [row.cells.get(column.name) for row in members]
        cells[column.name] = _summary(column.name, found) if is_summed(column) else _common(found)
    return Row(variants=tuple(name for row in members for name in row.variants), cells=cells)


def _common(cells: Sequence[Cell]) -> Cell:
    return cells[0] if len({repr(cell) for cell in cells}) == 1 else None


def _summary(name: str, cells: Sequence[Cell]) -> Summary | None:
    values = np.array([float(cell) for cell in cells if isinstance(cell, int | float) and math.isfinite(cell)])
    if not len(values):
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the largest there is
        mean, low, high = (float(number) for number in mean_interval(values, _scale(name, values)))
    return Summary(mean=mean, low=low, high=high, count=len(values), members=len(cells))


def _scale(name: str, values: np.ndarray) -> Scale:
    """What such a number can be, as far as its name and its values say."""
    if name.partition(".")[0].endswith("accuracy") and ((values >= 0) & (values <= 1)).all():
        return "share"
    return "positive" if (values > 0).all() else "any"
