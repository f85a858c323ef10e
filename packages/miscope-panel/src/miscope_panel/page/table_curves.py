"""The courses of a number over training in the rows of the table that are looked at, read where they are not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import final

from miscope.errors import MiscopeError
from miscope.tabulating.curves import Curve, curves_of
from miscope.tabulating.variant_table import Row
from miscope.workspace import Workspace
from miscope_panel.page.errands import Errands, attempted
from miscope_panel.page.variant_grid import PAGE_ROWS, VariantGrid
from miscope_panel.shown.sparkline import Axes, sparkline

__all__ = ["TableCurves"]

_MEMBERS = 20
"""Variants of a group whose curves are drawn: more are a blot."""


def _nothing() -> None:
    """Only to come back later."""


@final
class TableCurves:
    """Follows the page of the table."""

    def __init__(self, workspace: Workspace, errands: Errands, grid: VariantGrid) -> None:
        self._workspace, self._errands, self._grid = workspace, errands, grid
        self.name = ""
        """The number that is drawn; '' for none."""
        self._known: dict[str, Curve] = {}
        """By the variant's name; () of one that has none."""
        # Not at once: the browser is still given the rows of that page.
        grid.on_page = lambda: errands.send(_nothing, lambda done: self.draw())

    def take_up(self, name: str, *, anew: bool) -> None:
        """Have this number drawn from now on; '' for none. anew: as it is by now."""
        if anew or name != self.name:
            self._known = {}
        self.name = name

    def forget(self, names: Iterable[str]) -> None:
        """Have those of these variants read again: they have gone on."""
        for name in names:
            self._known.pop(name, None)

    def prepare(self, rows: Sequence[Row], then: Callable[[], None]) -> None:
        """Read what is not known of the first page of these rows, then go on."""
        self._read(rows[:PAGE_ROWS], then)

    def known(self, rows: Mapping[int, Row]) -> Mapping[int, str]:
        """The figures of these rows, where nothing need be read for them; otherwise none."""
        names = {name for row in rows.values() for name in row.variants[:_MEMBERS]}
        return dict(self._figures(rows)) if self.name and names <= self._known.keys() else {}

    def draw(self) -> None:
        """Draw it in the rows that are looked at, and read what is not known of them."""
        self._read([*self._grid.on_this_page().values()], self._put)

    def _put(self) -> None:
        self._grid.draw(self.known(self._grid.on_this_page()))

    def _read(self, rows: Sequence[Row], then: Callable[[], None]) -> None:
        names = dict.fromkeys(name for row in rows for name in row.variants[:_MEMBERS])
        unknown = [name for name in names if name not in self._known] if self.name else []
        if not unknown:
            then()
            return
        work = partial(attempted, partial(curves_of, self._workspace.index, unknown, self.name))
        self._errands.send(work, partial(self._take, self.name, unknown, then))

    def _take(
        self, name: str, asked: list[str], then: Callable[[], None], found: Mapping[str, Curve] | MiscopeError
    ) -> None:
        if name == self.name:
            # What cannot be read leaves its cells empty: the table itself says what is wrong with the workspace.
            there = {} if isinstance(found, MiscopeError) else found
            self._known |= {variant: there.get(variant, ()) for variant in asked}
        then()

    def _figures(self, rows: Mapping[int, Row]) -> Iterator[tuple[int, str]]:
        """Of one family on common axes: what others measure by the same name is another thing."""
        families: dict[str, list[int]] = {}
        for place, row in rows.items():
            families.setdefault(row.variants[0].partition("/")[0], []).append(place)
        for places in families.values():
            curves = {place: [self._known[name] for name in rows[place].variants[:_MEMBERS]] for place in places}
            axes = Axes.around(curve for those in curves.values() for curve in those)
            if axes is not None:
                yield from ((place, sparkline(those, axes, self.name)) for place, those in curves.items())
