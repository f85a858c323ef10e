"""The table of variants as somebody asked for it: read where that is needed, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue, MiscopeError
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.condition import admitted
from miscope.tabulating.index_rows import known_numbers
from miscope.tabulating.measure import Measure, first_measures, mentioned
from miscope.tabulating.reading import read_table
from miscope.tabulating.showing import ShownTable, show
from miscope.tabulating.variant_table import VariantTable

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["TableAnswer", "answer"]


@final
@dataclass(frozen=True, kw_only=True)
class TableAnswer:
    """What is shown, and what it was made of."""

    shown: ShownTable = field(default_factory=ShownTable)
    table: VariantTable = field(default_factory=VariantTable)
    numbers: tuple[str, ...] = ()
    """Names of all metrics and scalars that could be columns."""
    problem: str = ""
    """Why the condition, or the whole question, cannot be answered; '' where it is. Without its condition, it is."""


def answer(workspace: Workspace, asked: TableAsked, before: TableAnswer | None = None) -> TableAnswer:
    """What is asked, of the workspace as it is now, or as it was for the answer before.

    A condition that cannot be answered leaves nothing out, and so does whatever else is wrong: it is said in words.
    """
    try:
        known = known_numbers(workspace.index) if before is None else before.numbers
        measures = _measures(asked, known)
        table = read_table(workspace, measures) if before is None or not _has(before.table, measures) else before.table
    except MiscopeError as error:
        return TableAnswer(problem=str(error))
    try:
        names = admitted(workspace.index, table, asked.where)
    except BadValue as error:
        return TableAnswer(shown=show(table, asked), table=table, numbers=known, problem=str(error))
    return TableAnswer(shown=show(table, asked, names), table=table, numbers=known)


def _measures(asked: TableAsked, known: Sequence[str]) -> tuple[Measure, ...]:
    """The numbers that are shown, and those that rows are ordered or left out by."""
    ordered_by = [Measure.read(one.column) for one in asked.order]
    chosen = [Measure.read(name) for name in asked.columns] if asked.columns else [*first_measures(known)]
    said = mentioned(f"{asked.text} {asked.where}", known)
    return tuple(dict.fromkeys(m for m in (*chosen, *ordered_by, *said) if m.name in known))


def _has(table: VariantTable, measures: Sequence[Measure]) -> bool:
    """Whether the table has these measures, and no others: what it has is shown to who chose no columns."""
    return [column.name for column in table.columns if column.part == "measure"] == [str(m) for m in measures]
