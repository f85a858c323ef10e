"""The rows of the table as lines over parallel axes: a drag along an axis selects the rows that cross it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, final

import param
from panel.custom import JSComponent

from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Column, telling_apart
from miscope_panel.page.client import source, style
from miscope_panel.shown.parallel import parallel_axes
from miscope_panel.shown.variants_table import TableAnswer

__all__ = ["ParallelAxes", "ParallelDrawer"]


@final
class ParallelAxes(JSComponent):
    """Lines, axes, and the bounds that somebody drew on these."""

    axes = param.List(default=[], item_type=dict, doc="As `ParallelAxis` has them.")
    revision = param.Integer(default=0, doc="Another for each answer of the table, whose rows have other places.")
    open = param.Boolean(default=False, doc="Whether there is more to see than a line to open them by.")
    selected = param.List(default=[], item_type=int, doc="Places of the rows that are selected in the table.")

    _esm = source("parallel_axes")
    _stylesheets: ClassVar[list[str]] = [style("parallel_axes")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self.on_message(data)


@final
class ParallelDrawer:
    """Shut until it is opened; what is shut is not sent."""

    def __init__(self) -> None:
        self.on_turn: Callable[[bool], None] = lambda there: None
        self.on_bound: Callable[[list[int]], None] = lambda rows: None
        self._shown = ShownTable()
        self._fields: Sequence[Column] = ()
        self.view = ParallelAxes(sizing_mode="stretch_width", margin=0)
        self.view.on_message = self._hear

    def follow(self, there: bool) -> None:
        """Be open, or shut."""
        if there != self.view.open:
            self.view.open = there
            self._draw()

    def show(self, found: TableAnswer) -> None:
        """The rows that are found, over the fields in which they differ and the columns that are shown."""
        known = found.table.by_name
        self._shown = found.shown
        self._fields = [known[name] for name in telling_apart(found.table.columns, found.shown.rows)]
        self._draw()

    def mark(self, rows: Sequence[int]) -> None:
        """These rows are selected in the table."""
        self.view.selected = [*rows]

    def _draw(self) -> None:
        axes = [asdict(axis) for axis in parallel_axes(self._shown, self._fields)] if self.view.open else []
        self.view.param.update(axes=axes, revision=self.view.revision + 1)

    def _hear(self, message: dict[str, Any]) -> None:
        """A browser may say anything, and what it says of rows may be of those that were there before."""
        match message:
            case {"open": bool(there)}:
                self.on_turn(there)
            case {"rows": [*rows], "revision": self.view.revision} if all(map(self._is_row, rows)):
                self.on_bound(sorted(set(rows)))

    def _is_row(self, place: object) -> bool:
        return type(place) is int and 0 <= place < len(self._shown.rows)
