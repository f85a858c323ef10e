"""The table of variants as somebody asked for it: read where that is needed, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from miscope.errors import BadFile, BadValue, MiscopeError
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.condition import admitted
from miscope.tabulating.index_rows import known_numbers
from miscope.tabulating.measure import Measure, first_measures, mentioned
from miscope.tabulating.reading import OWN, read_table
from miscope.tabulating.relaxing import Relaxed, relaxed
from miscope.tabulating.showing import ShownTable, show
from miscope.tabulating.variant_table import VariantTable
from miscope_panel.shown.short_names import short_names

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["NO_CURVE", "TableAnswer", "answer", "curve_shown", "table_shown"]

NO_CURVE = "-"
"""What an address asks for, for no curve in the rows."""

_ASKED_IN = {"where": "where", "find": "text"}
"""Part of a question by the field that a refusal names."""


@final
@dataclass(frozen=True, kw_only=True)
class TableAnswer:
    """What is shown, and what it was made of."""

    shown: ShownTable = field(default_factory=ShownTable)
    table: VariantTable = field(default_factory=VariantTable)
    numbers: tuple[str, ...] = ()
    """Names of all metrics and scalars that could be columns."""
    instead: Relaxed | None = None
    """What would find something, where this finds nothing."""
    problem: str = ""
    """Why the condition, or the whole question, cannot be answered; '' where it is."""
    whole: bool = True
    """Whether all of the workspace could be read."""
    at: int | None = None
    """The step of the numbers that are of one."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What variants are called beside each other, by their names."""


def table_shown(
    workspace: Workspace, asked: TableAsked, before: TableAnswer | None = None, *, queued: bool = True
) -> TableAnswer:
    """What is asked, of the workspace as it is now, or as it was for the answer before.

    queued: with what the queue says. Raises BadValue, of the field 'where', for a condition that cannot be answered;
    BadFile where the queue is damaged.
    """
    known = _columns(workspace) if before is None else before.numbers
    measures = _measures(asked, known)
    there = before is not None and before.at == asked.at and _has(before.table, measures)
    table = (
        before.table if before is not None and there else read_table(workspace, measures, at=asked.at, queued=queued)
    )
    names = admitted(workspace.index, table, asked.where)
    shown = show(table, asked, names)
    labels = short_names(name for row in table.rows for name in row.variants)
    instead = relaxed(table, asked, names) if asked.narrows and not shown.rows else None
    return TableAnswer(shown=shown, table=table, numbers=known, instead=instead, at=asked.at, labels=labels)


def answer(
    workspace: Workspace, asked: TableAsked, before: TableAnswer | None = None, *, queued: bool = True
) -> TableAnswer:
    """The same with what is wrong in words: a part of the question that cannot be answered leaves nothing out.

    Where the queue is damaged there is the table without what it would say.
    """
    try:
        return table_shown(workspace, asked, before, queued=queued)
    except BadValue as error:
        problem, left_out = str(error), _ASKED_IN.get(error.field)
    except BadFile as error:
        if not queued:
            return TableAnswer(problem=str(error), whole=False)
        rest = answer(workspace, asked, queued=False)
        lines = dict.fromkeys((*str(error).splitlines(), *rest.problem.splitlines()))
        return replace(rest, problem="\n".join(lines), whole=False)
    except MiscopeError as error:
        problem, left_out = str(error), None
    if left_out is None:
        return TableAnswer(problem=problem, whole=False)
    return replace(answer(workspace, replace(asked, **{left_out: ""}), before, queued=queued), problem=problem)


def curve_shown(asked: TableAsked, numbers: Sequence[str]) -> str:
    """The number whose course over training each row has; '' for none. numbers: the names of all there are."""
    if asked.curve in numbers or asked.curve == NO_CURVE:
        return asked.curve.removeprefix(NO_CURVE)
    return next((measure.name for measure in first_measures(numbers)), "")


def _columns(workspace: Workspace) -> tuple[str, ...]:
    return tuple(name for name in known_numbers(workspace.index) if name not in OWN)


def _measures(asked: TableAsked, known: Sequence[str]) -> tuple[Measure, ...]:
    """The numbers that are shown, and those that rows are ordered or left out by."""
    ordered_by = [Measure.read(one.column) for one in asked.order]
    chosen = [Measure.read(name) for name in asked.columns] or [*first_measures(known)]
    if not asked.columns and asked.at is not None:
        # Whoever asks for a step is shown a number there, beside the last: in sight, however many columns follow.
        chosen[1:1] = [replace(measure, which="at") for measure in chosen[:1]]
    said = mentioned(f"{asked.text} {asked.where}", known)
    return tuple(dict.fromkeys(m for m in (*chosen, *ordered_by, *said) if m.name in known))


def _has(table: VariantTable, measures: Sequence[Measure]) -> bool:
    """Whether the table has these measures, and no others: what it has is shown to who chose no columns."""
    return [column.name for column in table.columns if column.part == "measure"] == [str(m) for m in measures]
