"""Where nothing is found: which one part of what was asked, left out, finds something."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import final

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.showing import show
from miscope.tabulating.variant_table import VariantTable

__all__ = ["Relaxed", "relaxed"]

_FEW = 8
"""Words that are tried: the table is gone through for each."""


@final
@dataclass(frozen=True, kw_only=True)
class Relaxed:
    """A question without one of its parts."""

    without: str
    """The word, or the condition."""
    asked: TableAsked
    matched: int
    """Variants that are found then."""


def relaxed(table: VariantTable, asked: TableAsked, admitted: Collection[str] | None) -> Relaxed | None:
    """What finds most; the first of what finds as many, and None where leaving out any one part finds nothing.

    admitted: names of the variants of which the condition is true; None where there is none.
    """
    tries = [
        Relaxed(without=part, asked=rest, matched=show(table, rest, admitted if rest.where else None).matched)
        for part, rest in _parts(asked)
    ]
    return max((one for one in tries if one.matched), key=lambda one: one.matched, default=None)


def _parts(asked: TableAsked) -> Iterator[tuple[str, TableAsked]]:
    words = asked.text.split()
    for place, word in enumerate(words[:_FEW]):
        yield word, replace(asked, text=" ".join([*words[:place], *words[place + 1 :]]))
    if asked.where.strip():
        yield asked.where.strip(), replace(asked, where="")
