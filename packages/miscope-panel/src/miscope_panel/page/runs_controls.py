"""What is asked of the table of variants on the page: words, a condition, columns, groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, final

import panel as pn
import panel_material_ui as pmui

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.grouping import MEMBERS, but_seeds
from miscope.tabulating.measure import Measure, Which
from miscope.tabulating.variant_table import telling_apart
from miscope_panel.page.client import sheet
from miscope_panel.page.field_look import CHOICE, FIELD
from miscope_panel.page.text_field import TextField
from miscope_panel.shown.variants_table import NO_CURVE, TableAnswer, curve_shown

__all__ = ["RunsControls", "grouped_by"]

_NONE = "–"
_BUT_SEEDS = "all but seeds"
_LAST = "the last"
_GROUPING, _STEP = re.compile(r"[,\s]"), re.compile(r"[0-9]{1,18}")


@final
class RunsControls:
    """Asks when something is typed or chosen, and follows what is asked elsewhere."""

    def __init__(self, *beside: pn.viewable.Viewable) -> None:
        """beside: what stands in the same row after them."""
        self.on_ask: Callable[[TableAsked], None] = lambda asked: None
        self._asked = TableAsked()
        self._named: tuple[str, ...] = ()
        self._following = False
        """Whether the widgets are being set: one whose value is not among its new options chooses another."""
        self._groups: Mapping[str, tuple[str, ...]] = {_NONE: ()}
        small: dict[str, Any] = {"size": "small", "margin": 0, "sx": FIELD}
        choice: dict[str, Any] = {"margin": 0, "sx": CHOICE}
        self.find = TextField(
            label="Find", placeholder="p113 seed=1 test_loss<1e-3", width=210, css_classes=["runs-find"], **small
        )
        condition = "prime > 50 and seed < 3"
        self.where = TextField(
            label="Where (SQL)", placeholder=condition, width=220, css_classes=["runs-where"], **small
        )
        self.group = pmui.Select(label="Group by", options=[*self._groups], width=130, size="small", **choice)
        self.columns = pmui.MultiChoice(label="Columns", options=[], searchable=True, chip=False, width=140, **choice)
        self.at = TextField(label="At step", placeholder=_LAST, width=100, **small)
        self.curve = pmui.Select(label="Curve", options=[_NONE], width=140, size="small", **choice)
        self.bar = pn.FlexBox(
            self.find, self.where, self.group, self.columns, self.at, self.curve, *beside, gap="12px", margin=0,
            sizing_mode="stretch_width", stylesheets=[sheet("runs_bar")],
        )  # fmt: skip
        self.find.param.watch(lambda event: self._ask(text=event.new), "value")
        self.where.param.watch(lambda event: self._ask(where=event.new), "value")
        self.at.param.watch(lambda event: self._ask_at(event.new), "value")
        self.group.param.watch(lambda event: self._ask(group=self._groups.get(event.new, ())), "value")
        self.curve.param.watch(lambda event: self._ask(curve=NO_CURVE if event.new == _NONE else event.new), "value")
        self.columns.param.watch(lambda event: self._choose(tuple(event.new)), "value")

    def follow(self, asked: TableAsked, found: TableAnswer) -> None:
        """Show what is asked, and offer what the answer has."""
        self._asked = asked
        shown = found.shown.ungrouped or found.shown.columns
        self._named = tuple(column.name for column in shown if column.name != MEMBERS)
        self._groups = _groups(asked, found)
        options = dict.fromkeys((*_offered(found), *self._named))
        # The last that is the same: 'prime' says more than 'all but seeds'.
        group = next(label for label, columns in reversed(self._groups.items()) if columns == asked.group)
        label = f"{len(self._named)} column{'s' * (len(self._named) != 1)}"
        self._following = True
        try:
            self.find.value, self.where.value = asked.text, asked.where
            self._follow_step(found.at)
            self.group.param.update(options=[*self._groups], value=group)
            self.curve.param.update(options=[*_curves(asked, found)], value=curve_shown(asked, found.numbers) or _NONE)
            self.columns.param.update(options=[*options], value=[*self._named], value_label=label)
        finally:
            self._following = False

    def _follow_step(self, shown: int | None) -> None:
        """shown: the step of which numbers are, the cursor's where none is asked for."""
        asked = self._asked.at
        known = _LAST if shown is None else f"{shown:,}, the cursor's"
        self.at.param.update(value="" if asked is None else f"{asked:,}", placeholder=known, error_state=False)

    def _ask_at(self, text: str) -> None:
        digits = _GROUPING.sub("", text)
        self.at.error_state = not (digits == "" or _STEP.fullmatch(digits))
        if not self.at.error_state:
            self._ask(at=int(digits) if digits else None)

    def _choose(self, names: tuple[str, ...]) -> None:
        if names != self._named:
            self._ask(columns=names)

    def _ask(self, **changes: Any) -> None:
        asked = replace(self._asked, **changes)
        if not self._following and asked != self._asked:
            self._asked = asked
            self.on_ask(asked)


def _offered(found: TableAnswer) -> Iterator[str]:
    """Names of columns: fields, metrics with their least and largest and that at a step, and the last of instruments.

    Of the latter there are thousands in a workspace that was analyzed, and a browser is slow with more.
    """
    yield from (column.name for column in found.table.columns if column.part != "measure")
    for name in found.numbers:
        offered: tuple[Which, ...] = ("last",) if "/" in name else ("last", "min", "max", "at")
        yield from (str(Measure(name=name, which=which)) for which in offered)


def _curves(asked: TableAsked, found: TableAnswer) -> dict[str, None]:
    """Of what a curve can be drawn: of every metric, and of what an address asks for, which may be an instrument's."""
    metrics = (name for name in found.numbers if "/" not in name)
    return dict.fromkeys((_NONE, *metrics, *filter(None, [curve_shown(asked, found.numbers)])))


def grouped_by(asked: TableAsked, found: TableAnswer) -> tuple[str, ...]:
    """The columns that groups agree in, also where an address says it in the words of the menu."""
    by = but_seeds(found.table.columns, found.table.rows) if asked.group == (_BUT_SEEDS,) else ()
    return by or asked.group


def _groups(asked: TableAsked, found: TableAnswer) -> dict[str, tuple[str, ...]]:
    """By what variants can be put together, each with the columns in which a group then agrees."""
    columns, rows = found.table.columns, found.table.rows
    groups: dict[str, tuple[str, ...]] = {_NONE: (), _BUT_SEEDS: but_seeds(columns, rows)}
    groups |= {name: (name,) for name in telling_apart(columns, rows)}
    if not groups[_BUT_SEEDS]:
        del groups[_BUT_SEEDS]
    if asked.group not in groups.values():
        groups[" + ".join(asked.group)] = asked.group
    return groups
