"""The rows of the table as lines over parallel axes: those that cross all axes within their bounds are selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, TypeGuard, final

import param

from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Column, telling_apart
from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent
from miscope_panel.shown.axis_bounds import read_bounds, write_bounds
from miscope_panel.shown.parallel import ParallelAxis, parallel_axes
from miscope_panel.shown.variants_table import TableAnswer

__all__ = ["ParallelAxes", "ParallelDrawer"]


@final
class ParallelAxes(MessagingComponent):
    """Lines, axes, and the bounds that somebody drew on these."""

    axes = param.List(default=[], item_type=dict, doc="As `ParallelAxis` has them.")
    bounds = param.Dict(default={}, doc="As `Places` has them, of what the address says; the browser says its own.")
    revision = param.Integer(default=0, doc="Another for each answer of the table, whose rows have other places.")
    heard = param.Integer(default=0, doc="The number of the last of the browser's messages that was of this revision.")
    open = param.Boolean(default=False, doc="Whether there is more to see than a line to open them by.")
    selected = param.List(default=[], item_type=int, doc="Places of the rows that are selected in the table.")

    _esm = source("parallel_axes", "axis_handles")
    _stylesheets: ClassVar[list[str]] = [style("parallel_axes")]


@final
class ParallelDrawer:
    """Shut until it is opened; what is shut is not sent."""

    def __init__(self) -> None:
        self.on_turn: Callable[[bool], None] = lambda there: None
        self.on_bound: Callable[[list[int]], None] = lambda rows: None
        self.on_hold: Callable[[str], None] = lambda bounds: None
        """Called with the bounds that were set, as an address says them."""
        self._bounds = ""
        self._axes: tuple[ParallelAxis, ...] = ()
        self._shown = ShownTable()
        self._fields: Sequence[Column] = ()
        self.view = ParallelAxes(sizing_mode="stretch_width", margin=0)
        self.view.on_message = self._hear

    def follow(self, there: bool, bounds: str = "") -> None:
        """Be open, or shut, with these bounds, as an address says them."""
        if (there, bounds) != (self.view.open, self._bounds):
            self.view.open, self._bounds = there, bounds
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
        self._axes = parallel_axes(self._shown, self._fields) if self.view.open else ()
        bounds = {name: [*places] for name, places in read_bounds(self._axes, self._bounds).items()}
        axes = [asdict(axis) for axis in self._axes]
        self.view.param.update(axes=axes, bounds=bounds, revision=self.view.revision + 1)

    def _hear(self, message: dict[str, Any]) -> None:
        """A browser may say anything, and what it says of rows may be of those that were there before."""
        match message:
            case {"open": bool(there)}:
                self.on_turn(there)
            case {"rows": [*rows], "bounds": dict(bounds), "revision": self.view.revision, "number": int(number)}:
                self.view.heard = number
                if all(map(self._is_row, rows)):
                    self.on_bound(sorted(set(rows)))
                    self._hold(bounds)

    def _hold(self, bounds: Mapping[str, object]) -> None:
        said = write_bounds(self._axes, {name: places for name, places in bounds.items() if _are_places(places)})
        if said != self._bounds:
            # As the browser has them already: nothing is drawn for it.
            self._bounds = said
            self.on_hold(said)

    def _is_row(self, place: object) -> bool:
        return type(place) is int and 0 <= place < len(self._shown.rows)


def _are_places(places: object) -> TypeGuard[tuple[float, float]]:
    match places:
        case [int() | float() as low, int() | float() as high]:
            return 0 <= low <= high <= 1
        case _:
            return False
