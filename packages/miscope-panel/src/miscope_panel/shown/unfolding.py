"""Groups of the table that are unfolded: which, as an address says it, and their variants as rows below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final
from urllib.parse import quote

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.cell_text import written
from miscope.tabulating.grouping import MEMBERS
from miscope.tabulating.ordering import ordered
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Column, Row
from miscope_panel.shown.variants_table import TableAnswer

__all__ = ["Group", "LaidTable", "Unfolded", "laid"]

_ALL = "all:"
"""What stands in an address before the groups that are folded, where all others are unfolded: ':' is in no key."""
_NOTHING = "!"
"""What is not known of a group, in its key: no text is written so."""


@final
@dataclass(frozen=True, kw_only=True)
class Unfolded:
    """Which groups show their variants."""

    keys: tuple[str, ...] = ()
    """Of groups, as `Group` has them."""
    all_but: bool = False
    """Whether it is all groups but those."""

    @classmethod
    def read(cls, text: str) -> Unfolded:
        """Those that an address names so: '113,59', or all but some, 'all:113'."""
        keys = dict.fromkeys(key for key in text.removeprefix(_ALL).split(",") if key)
        return cls(keys=tuple(keys), all_but=text.startswith(_ALL))

    def __str__(self) -> str:
        return _ALL * self.all_but + ",".join(self.keys)

    def has(self, key: str) -> bool:
        """Whether that group is unfolded."""
        return (key in self.keys) != self.all_but

    def turn(self, key: str) -> Unfolded:
        """These with that group unfolded if it is folded, folded if it is not."""
        rest = tuple(each for each in self.keys if each != key)
        return replace(self, keys=rest if key in self.keys else (*rest, key))


@final
@dataclass(frozen=True, kw_only=True)
class Group:
    """A row of the table that is a group."""

    key: str
    """What its variants have in common, as an address names it: '113', or '113;0.01' by two columns."""
    told: str
    """The same in words: 'prime = 113'."""
    unfolded: bool


@final
@dataclass(frozen=True, kw_only=True)
class LaidTable:
    """The rows as they stand on the page, variants below their groups."""

    shown: ShownTable = field(default_factory=ShownTable)
    groups: Mapping[int, Group] = field(default_factory=dict)
    """By the places of their rows among all."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """By the variant's name what it is called beside the others."""
    at: int | None = None
    """The step of the numbers that are of one."""

    def titled(self, place: int) -> tuple[str, str]:
        """What a row is called, short and whole."""
        if group := self.groups.get(place):
            return group.told, group.told
        name = self.shown.rows[place].variants[0]
        return self.labels.get(name, name), name


def laid(found: TableAnswer, asked: TableAsked, unfolded: Unfolded, before: LaidTable | None = None) -> LaidTable:
    """What was found, with the variants of the groups that are unfolded.

    before: the rows that were there, among which those that still are keep their places.
    """
    shown = found.shown
    if not shown.in_groups:
        return LaidTable(shown=shown, labels=found.labels, at=found.at)
    columns = _columns(shown)
    by = [column.name for column in shown.columns if column.name in asked.group]
    known = {row.variants[0]: row for row in found.table.rows}
    there = {column.name for column in found.table.columns}
    order = [one for one in asked.order if one.column in there]
    placed = {} if before is None else _places(before)
    rows: list[Row] = []
    groups: dict[int, Group] = {}
    for row in shown.rows:
        key = _key(row, by)
        groups[len(rows)] = Group(key=key, told=_told(row, by), unfolded=unfolded.has(key))
        rows.append(row)
        if unfolded.has(key):
            members = ordered([known[name] for name in row.variants if name in known], order)
            rows += sorted(members, key=lambda one: placed.get(one.variants[0], len(placed)))
    whole = replace(shown, columns=columns, rows=tuple(rows))
    return LaidTable(shown=whole, groups=groups, labels=found.labels, at=found.at)


def _places(before: LaidTable) -> dict[str, int]:
    """By the names of the variants that have rows of their own, which of all rows that is."""
    rows = enumerate(before.shown.rows)
    return {row.variants[0]: place for place, row in rows if place not in before.groups}


def _columns(shown: ShownTable) -> tuple[Column, ...]:
    """What names a row, what a group has in common, how many they are; then what there is of each variant."""
    names = [column.name for column in shown.columns]
    keys: Sequence[Column] = shown.columns[: names.index(MEMBERS) + 1]
    taken = {"variant", *(column.name for column in keys)}
    rest = (column for column in shown.ungrouped if column.name not in taken)
    named = next((c for c in shown.ungrouped if c.name == "variant"), Column(name="variant", part="variant"))
    return (named, *(column for column in keys if column.name != "variant"), *rest)


def _key(row: Row, by: Sequence[str]) -> str:
    cells = (row.cells.get(name) for name in by)
    return ";".join(_NOTHING if cell is None else quote(str(cell), safe=". ") for cell in cells)


def _told(row: Row, by: Sequence[str]) -> str:
    return ", ".join(f"{name} = {written(row.cells.get(name)) or 'none'}" for name in by)
