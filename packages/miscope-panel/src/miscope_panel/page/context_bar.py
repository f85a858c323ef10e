"""The bar over the cards: the variants on the page, in the colours of their curves, and how far each came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from typing import final

import panel as pn

from miscope.failure import Failure, tried
from miscope.workspace import Workspace
from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands
from miscope_panel.page.paced import Paced
from miscope_panel.shown.selection import Place
from miscope_panel.shown.variant_chips import Chip, Counted, chips_of, count_analyses

__all__ = ["ContextBar"]


_NOBODY = '<div class="chips"></div>'

_COUNTING_TAKES = 0.1
"""Of the time at most: the table of all variants is read for it."""


@final
class ContextBar:
    """Follows the place; what is read for it is read on a thread."""

    def __init__(self, workspace: Workspace, errands: Errands) -> None:
        self._workspace, self._errands = workspace, errands
        self._colours: dict[str, str] = {}
        self._counted: Mapping[str, Counted] | None = None
        self._renewals, self._counting = Paced(self._read_on), Paced(self._count, share=_COUNTING_TAKES)
        # As high before it is known who is looked at as after that: cards are drawn to the room that it leaves.
        self.view = pn.pane.HTML(_NOBODY, sizing_mode="stretch_width", margin=0, stylesheets=[sheet("context_bar")])

    def follow(self, place: Place) -> None:
        """Show these variants."""
        colours = place.colours
        if colours != self._colours:
            self._colours = colours
            self.look_again()

    def look_again(self) -> None:
        """Read anew how far they came."""
        read = partial(chips_of, self._workspace, tuple(self._colours), self._colours)
        self._errands.send(read, partial(self._show, self._colours))

    def renew(self, *, urgent: bool, analyses: bool) -> None:
        """Some of them may have come further. urgent: nothing may follow that says so. analyses: these too."""
        if analyses or self._counted is None:
            self._counting.want(urgent=urgent or self._counted is None)
        else:
            self._renewals.want(urgent=urgent)

    def _count(self) -> None:
        self._errands.send(partial(tried, partial(count_analyses, self._workspace)), self._take_counted)

    def _take_counted(self, counted: Mapping[str, Counted] | Failure) -> None:
        self._counted = {} if isinstance(counted, Failure) else counted
        self._renewals.want(urgent=True)
        self._counting.done()

    def _read_on(self) -> None:
        read = partial(chips_of, self._workspace, tuple(self._colours), self._colours, self._counted)
        self._errands.send(partial(tried, read), partial(self._show_renewed, self._colours))

    def _show_renewed(self, of: dict[str, str], chips: Sequence[Chip] | Failure) -> None:
        if not isinstance(chips, Failure):
            self._show(of, chips)
        self._renewals.done()

    def _show(self, of: dict[str, str], chips: Sequence[Chip]) -> None:
        if of == self._colours:
            troubles = "".join(_trouble(chip) for chip in chips if chip.trouble)
            self.view.object = f'{troubles}<div class="chips">{"".join(map(_written, chips))}</div>'


def _trouble(chip: Chip) -> str:
    return f'<p class="trouble" role="alert"><b>{escape(chip.label)}</b> {escape(chip.trouble)}</p>'


def _written(chip: Chip) -> str:
    words = "".join(f"<span>{escape(word)}</span>" for word in chip.words)
    dot = f'<i style="background:{escape(chip.colour)}"></i>'
    return f'<div class="chip" title="{escape(chip.variant)}">{dot}<b>{escape(chip.label)}</b>{words}</div>'
