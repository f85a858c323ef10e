"""What is answered of the table of variants: pydantic models, so that OpenAPI says what to expect."""

from __future__ import annotations

from typing import final

from pydantic import BaseModel, Field

from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Cell, Part, Row, Summary
from miscope_panel.rest.exampled import exampled
from miscope_panel.rest.run_answers import Pagination

__all__ = ["ColumnSeen", "RowSeen", "SummarySeen", "TableSeen"]

_VARIANT = "modadd.transformer/p113-seed1-dseed598"


@final
class SummarySeen(BaseModel):
    """The numbers of a group's variants."""

    mean: float | None
    low: float | None = Field(
        description="Of the mean's 95 % interval; null of fewer than three numbers, or of such as are all the same."
    )
    high: float | None
    count: int = Field(description="Variants that have a finite number: those that the mean is of.")


@final
class ColumnSeen(BaseModel):
    """A column."""

    name: str
    part: Part = Field(description="What it says of a variant.")
    numeric: bool = Field(description="Whether its cells are numbers.")


@final
class RowSeen(BaseModel):
    """A variant, or a group of some."""

    variants: list[str]
    cells: dict[str, bool | int | float | str | SummarySeen | None] = Field(description="By the column's name.")

    @classmethod
    def of(cls, row: Row, columns: list[ColumnSeen]) -> RowSeen:
        """The cells of these columns."""
        return cls(variants=list(row.variants), cells={c.name: _cell(row.cells.get(c.name)) for c in columns})


@final
class TableSeen(BaseModel):
    """A page of the table of variants."""

    model_config = exampled(
        columns=[
            {"name": "variant", "part": "variant", "numeric": False},
            {"name": "test_loss", "part": "measure", "numeric": True},
        ],
        rows=[{"variants": [_VARIANT], "cells": {"variant": _VARIANT, "test_loss": 3.1e-7}}],
        matched=1,
        variants=180,
        unknown=[],
        pagination={"page": 1, "limit": 50, "total": 1, "pages": 1},
    )

    columns: list[ColumnSeen]
    rows: list[RowSeen]
    matched: int = Field(description="Variants that are in the rows of all pages.")
    variants: int = Field(description="Variants of the workspace.")
    unknown: list[str] = Field(
        description="Names asked for as columns, to order or to group by, of which there is none."
    )
    pagination: Pagination

    @classmethod
    def of(cls, shown: ShownTable, *, page: int, limit: int) -> TableSeen:
        """That page of what is shown."""
        columns = [ColumnSeen(name=c.name, part=c.part, numeric=c.numeric) for c in shown.columns]
        total = len(shown.rows)
        return cls(
            columns=columns,
            rows=[RowSeen.of(row, columns) for row in shown.page(page, limit)],
            matched=shown.matched,
            variants=shown.total,
            unknown=[*shown.unknown],
            pagination=Pagination(page=page, limit=limit, total=total, pages=-(-total // limit)),
        )


def _cell(cell: Cell) -> bool | int | float | str | SummarySeen | None:
    if isinstance(cell, Summary):
        return SummarySeen(mean=cell.mean, low=cell.low, high=cell.high, count=cell.count)
    return cell
