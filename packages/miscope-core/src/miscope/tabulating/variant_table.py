"""The variants of a workspace as a table: a row for each, and columns of what they are and what became of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

__all__ = ["Cell", "Column", "Part", "Row", "Summary", "VariantTable", "is_nothing", "is_number", "telling_apart"]

Part = Literal["variant", "parameter", "training", "measure", "work"]
"""What a column says of a variant: which it is, a parameter, a field of its training, a number that was recorded or
computed, or what was done of it: its run, its checkpoints, its analyses."""


@final
@dataclass(frozen=True, kw_only=True)
class Summary:
    """The numbers of a group of variants in one cell."""

    mean: float
    low: float
    """Of the 95 % interval of the mean; NaN of fewer than three, or of numbers that are all the same."""
    high: float
    count: int
    """Members that have a finite number: those that the mean is of."""
    members: int
    """Of the group."""


Cell = bool | int | float | str | Summary | None
"""None: there is nothing."""


@final
@dataclass(frozen=True, kw_only=True)
class Column:
    """One column."""

    name: str
    """As a condition and an address call it."""
    part: Part
    numeric: bool = False
    """Whether its cells are numbers."""


@final
@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant, or a group of some."""

    variants: tuple[str, ...]
    """Names 'family/slug'."""
    cells: Mapping[str, Cell]
    """By the column's name; a column that is not among them has nothing here."""


@final
@dataclass(frozen=True, kw_only=True)
class VariantTable:
    """All variants, in the order in which one is shown them who asks for no other."""

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()

    @classmethod
    def of(cls, parts: Mapping[str, Part], rows: Iterable[Row]) -> VariantTable:
        """These rows under columns of these parts, of which those are numeric that have numbers and nothing else."""
        kept = tuple(rows)
        columns = (
            Column(name=name, part=part, numeric=_numeric([row.cells.get(name) for row in kept]))
            for name, part in parts.items()
        )
        return cls(columns=tuple(columns), rows=kept)

    @property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}


def telling_apart(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[str, ...]:
    """The parameters and training fields of which these rows have more than one value, in the columns' order.

    A field that some rows do not have, since their family does not, tells apart where the others differ in it.
    """
    fields = (column.name for column in columns if column.part in ("parameter", "training"))
    values = {name: {repr(v) for row in rows if (v := row.cells.get(name)) is not None} for name in fields}
    return tuple(name for name, several in values.items() if len(several) > 1)


def is_number(cell: Cell) -> bool:
    """Whether the cell is a number, NaN among them; what is true or false is none."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def is_nothing(cell: Cell) -> bool:
    """Whether the cell says nothing that could be compared: it is empty, or no number though one stands there."""
    value = cell.mean if isinstance(cell, Summary) else cell
    return value is None or (isinstance(value, float) and math.isnan(value))


def _numeric(cells: Sequence[Cell]) -> bool:
    there = [cell for cell in cells if cell is not None]
    return bool(there) and all(map(is_number, there))
