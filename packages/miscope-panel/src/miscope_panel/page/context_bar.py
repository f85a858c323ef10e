"""The bar over the cards: the variants on the page, in the colours of their curves, and how far each came."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import final

import panel as pn

from miscope.workspace import Workspace
from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands
from miscope_panel.shown.selection import Place
from miscope_panel.shown.variant_chips import Chip, chips_of

__all__ = ["ContextBar"]


@final
class ContextBar:
    """Follows the place; what is read for it is read on a thread."""

    def __init__(self, workspace: Workspace, errands: Errands) -> None:
        self._workspace, self._errands = workspace, errands
        self._names: tuple[str, ...] = ()
        self.view = pn.pane.HTML("", sizing_mode="stretch_width", margin=0, stylesheets=[sheet("context_bar")])

    def follow(self, place: Place) -> None:
        """Show these variants."""
        names = tuple(dict.fromkeys(name for name in (place.variant, *place.compared) if name))
        if names != self._names:
            self._names = names
            self.look_again()

    def look_again(self) -> None:
        """Read anew how far they came."""
        self._errands.send(partial(chips_of, self._workspace, self._names), partial(self._show, self._names))

    def _show(self, names: tuple[str, ...], chips: Sequence[Chip]) -> None:
        if names == self._names:
            self.view.object = f'<div class="chips">{"".join(map(_written, chips))}</div>'


def _written(chip: Chip) -> str:
    words = "".join(f"<span>{escape(word)}</span>" for word in chip.words)
    dot = f'<i style="background:{escape(chip.colour)}"></i>'
    return f'<div class="chip" title="{escape(chip.variant)}">{dot}<b>{escape(chip.label)}</b>{words}</div>'
