"""What is asked of the table of variants: which rows, in which order, under which columns, in which groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["Order", "TableAsked"]


@final
@dataclass(frozen=True, kw_only=True)
class Order:
    """By which column rows are ordered."""

    column: str
    descending: bool = False


@final
@dataclass(frozen=True, kw_only=True)
class TableAsked:
    """A question to the table; as it is made, for all of it under the columns that tell its rows apart."""

    text: str = ""
    """Words that rows have to have: 'seed=1', 'p113', 'test_loss<1e-3'."""
    where: str = ""
    """A condition in SQL over the columns: 'weight_decay = 1 and prime > 50'."""
    order: tuple[Order, ...] = ()
    """The first column counts most; () for the table's own order."""
    columns: tuple[str, ...] = ()
    """Names of columns; () for those that tell the rows apart."""
    group: tuple[str, ...] = ()
    """Columns in which the variants of one group agree; () for a row of each variant."""

    curve: str = ""
    """A number whose course over training is drawn in each row; '' for the usual one, '-' for none."""

    at: int | None = None
    """The step of which columns like 'test_loss.at' have the number; None for the last."""

    @property
    def narrows(self) -> bool:
        """Whether rows are left out."""
        return bool(self.text.strip() or self.where.strip())
