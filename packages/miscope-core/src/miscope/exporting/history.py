"""A training as one table: a row for each step, and a column for each number that was recorded or computed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.patterns import matching
from miscope.recorded_rate import recorded_rate
from miscope.snapshot import Series
from miscope.store.column_numbers import column_numbers
from miscope.variant import Variant
from miscope.workspace import Workspace, plain_variants

if TYPE_CHECKING:
    import pyarrow

__all__ = ["history"]

_SCALARS = """
WITH latest AS (
    SELECT variant, analyzer, max_by(recipe, time) AS recipe FROM artifacts
    WHERE variant = '{variant}' AND step IS NOT NULL GROUP BY variant, analyzer
)
SELECT analyzer || '/' || name AS name, count(*) AS count, list(step ORDER BY step) AS steps,
    list(coalesce(value, 'nan'::DOUBLE) ORDER BY step) AS values
FROM scalars JOIN latest USING (variant, analyzer, recipe) WHERE step IS NOT NULL GROUP BY ALL ORDER BY name
"""


def history(
    workspace: Workspace, variants: Variant | Sequence[Variant], patterns: Sequence[str] = ("*",)
) -> pyarrow.Table:
    """The recorded metrics ('train_loss') and the single numbers of instruments ('ranks.weights/W_E/stable') by step.

    Columns: 'variant' where several are given, 'step' int64, then float64 that match a shell pattern, metrics first;
    null where there is no number, NaN among these. 'learning_rate' is that of the update which follows the step, for
    groups of weights that have no factor of their own. Rows: the steps at which there is a number, ascending. Of an
    analyzer its numbers are those of the recipe that was computed last; what spans a training has no step and is not
    among them. Where `train --watch` recorded what was computed later too, the recorded one stands. Raises BadValue
    where there is nothing at all, BadFile for damaged metrics.
    """
    import pyarrow as pa

    several = plain_variants(workspace, variants)
    tables = []
    for variant in several:
        found = _series(workspace, variant)
        table = _pivoted({name: found[name] for name in matching(patterns, found)})
        if len(several) > 1:
            table = table.add_column(0, "variant", pa.repeat(variant.name, table.num_rows))
        tables.append(table)
    whole = pa.concat_tables(tables, promote_options="default")
    if not whole.num_rows:
        raise _nothing(workspace, several, patterns)
    return whole


def _series(workspace: Workspace, variant: Variant) -> dict[str, Series]:
    """All there is of one variant, by the name of its column."""
    workspace.store.refuse_another(variant)
    recorded = workspace.store.metrics(variant.name)
    rows = workspace.ask(_SCALARS.format(variant=variant.name))
    steps, values = _flat(rows["steps"], np.int64), _flat(rows["values"], np.float64)
    ends = np.cumsum([0, *rows["count"].to_pylist()])
    computed = {
        name: Series(steps=steps[begin:end], values=values[begin:end])
        for name, begin, end in zip(rows["name"].to_pylist(), ends[:-1], ends[1:], strict=True)
    }
    plain = {name: one for name, one in recorded.items() if "/" not in name}
    rate = recorded_rate(variant, recorded)
    return {**plain, **rate, **dict(sorted({**recorded, **computed}.items())), **_both(recorded, computed)}


def _flat(lists: pyarrow.ChunkedArray, dtype: type[np.number]) -> np.ndarray:
    """The numbers of all lists, one after the other."""
    parts = [column_numbers(chunk.flatten(), dtype) for chunk in lists.chunks]
    return np.concatenate([np.empty(0, dtype), *parts])


def _both(recorded: Mapping[str, Series], computed: Mapping[str, Series]) -> dict[str, Series]:
    """What was recorded while it trained, with what was computed at other steps."""
    both = {}
    for name in recorded.keys() & computed.keys():
        first, later = recorded[name], computed[name]
        further = ~np.isin(later.steps, first.steps)
        steps = np.concatenate([first.steps, later.steps[further]])
        order = np.argsort(steps, kind="stable")
        both[name] = Series(steps=steps[order], values=np.concatenate([first.values, later.values[further]])[order])
    return both


def _pivoted(series: Mapping[str, Series]) -> pyarrow.Table:
    import pyarrow as pa

    steps = np.unique(np.concatenate([np.empty(0, np.int64), *(one.steps for one in series.values())]))
    columns = {"step": pa.Array.from_buffers(pa.int64(), len(steps), [None, pa.py_buffer(steps)])}
    for name, one in series.items():
        column = np.full(len(steps), np.nan)
        column[np.searchsorted(steps, one.steps)] = one.values
        there = np.packbits(~np.isnan(column), bitorder="little")
        buffers = [pa.py_buffer(there), pa.py_buffer(column)]
        columns[name] = pa.Array.from_buffers(pa.float64(), len(steps), buffers)
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _nothing(workspace: Workspace, variants: Sequence[Variant], patterns: Sequence[str]) -> BadValue:
    names = ", ".join(variant.name for variant in variants)
    chosen = "" if tuple(patterns) == ("*",) else f" that matches {' or '.join(map(repr, patterns))}"
    return BadValue(
        f"There is nothing of {names}{chosen} to write step by step.",
        "Metrics are recorded while a model trains, and instruments leave single numbers at its checkpoints.",
        f"To compute these:  {in_workspace(workspace.root, f'miscope analyze {variants[0].name}')}",
    )
