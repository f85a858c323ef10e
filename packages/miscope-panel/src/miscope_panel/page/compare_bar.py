"""Over the cards of the page of comparisons: which variants, how they differ, and how they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param
from panel.custom import JSComponent

from miscope_panel.page.client import source, style

__all__ = ["CompareBar"]


@final
class CompareBar(JSComponent):
    """Draws what it is given, and says what somebody does with it."""

    chips = param.List(default=[], item_type=dict, doc="letter, variant, label, colour, words, hidden; A first.")
    others = param.List(default=[], item_type=str, doc="Names of variants that can be added.")
    differs = param.String(doc="'They differ only in seed.'")
    fields = param.List(default=[], item_type=dict, doc="name, values: what differs, in the order of the chips.")
    modes = param.List(default=[], item_type=dict, doc="value, label, disabled.")
    aligns = param.List(default=[], item_type=dict, doc="value, label.")
    asked = param.Dict(default={}, doc="mode, align, mean, scales: as an address has them.")
    can_mean = param.Boolean(default=False, doc="Whether nothing but seeds differs.")
    views = param.List(default=[], item_type=dict, doc="name, title: views that can be opened.")
    notes = param.List(default=[], item_type=dict, doc="text, bad: what is to be known of the comparison.")

    _esm = source("compare_bar", "held_focus")
    _stylesheets: ClassVar[list[str]] = [style("compare_bar")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self.on_message(data)
