"""Which rows have the words that were typed: parts of a name, values of parameters, bounds on columns."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence

from miscope.errors import BadValue
from miscope.tabulating.cell_text import written
from miscope.tabulating.variant_table import Cell, Column, Row, is_nothing, is_number

__all__ = ["narrowed"]

_COMPARISON = re.compile(r"(?P<column>.+?)(?P<sign><=|>=|!=|=|<|>)(?P<value>.+)", re.DOTALL)
_SIGNS: Mapping[str, Callable[..., bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}

_LONGEST = 1000
"""Letters."""


def narrowed(rows: Sequence[Row], columns: Sequence[Column], text: str) -> tuple[Row, ...]:
    """The rows that have every word of the text, whatever its case, in their own order.

    A word is a part of a variant's name, family, state, tags or notes, or of a parameter as 'seed=1'; or it compares a
    column with a value: 'prime=113', 'test_loss<1e-3', 'optimizer!=adamw', which is true of nothing without a value.
    Raises BadValue, of the field 'find', for a text that is too long.
    """
    if len(text) > _LONGEST:
        raise _too_long(text)
    known = {column.name.casefold(): column.name for column in columns}
    holds = [_test(word, known) for word in text.split()]
    if not holds:
        return tuple(rows)
    searched = ((row, _searched(row, columns)) for row in rows)
    return tuple(row for row, found in searched if all(test(row, found) for test in holds))


def _too_long(text: str) -> BadValue:
    return BadValue(
        f"What is to be found has {len(text):,} letters.",
        f"Rows are looked for by at most {_LONGEST:,}.",
        "Give fewer words, or a condition over the columns.",
        field="find",
    )


def _test(word: str, known: Mapping[str, str]) -> Callable[[Row, str], bool]:
    """Whether a row has the word, given all that words are looked for in."""
    parts = _COMPARISON.fullmatch(word)
    if parts is None or parts["column"].casefold() not in known:
        return lambda row, searched: word.casefold() in searched
    column, sign, value = known[parts["column"].casefold()], parts["sign"], parts["value"]
    return lambda row, searched: _compared(row.cells.get(column), sign, value)


def _searched(row: Row, columns: Sequence[Column]) -> str:
    """All that a word is looked for in: names, and parameters with their values."""
    texts = [*row.variants]
    for column in columns:
        cell = row.cells.get(column.name)
        if column.part in ("parameter", "training") and cell is not None:
            texts.append(f"{column.name}={written(cell)}")
        elif column.part in ("variant", "work") and isinstance(cell, str):
            texts.append(cell)
    return "\n".join(texts).casefold()


def _compared(cell: Cell, sign: str, value: str) -> bool:
    if is_nothing(cell):
        return False
    if is_number(cell):
        number = _number(value)
        return sign == "!=" if number is None else _SIGNS[sign](cell, number)
    return _SIGNS[sign](written(cell).casefold(), value.casefold())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
