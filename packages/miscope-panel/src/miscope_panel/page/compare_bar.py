"""Over the cards of the page of comparisons: which variants, how they differ, and how they are looked at."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["CompareBar"]


@final
class CompareBar(MessagingComponent):
    """Draws what it is given, and says what somebody does with it."""

    chips = param.List(default=[], item_type=dict, doc="letter, variant, label, colour, words, hidden; A first.")
    others = param.List(default=[], item_type=str, doc="Names of variants that can be added.")
    differs = param.String(doc="'They differ only in seed.'")
    fields = param.List(default=[], item_type=dict, doc="name, values: what differs, in the order of the chips.")
    modes = param.List(default=[], item_type=dict, doc="value, label, disabled.")
    aligns = param.List(default=[], item_type=dict, doc="value, label.")
    asked = param.Dict(default={}, doc="mode, align, mean, scales: as an address has them.")
    can_mean = param.Boolean(default=False, doc="Whether some differ in seeds alone.")
    views = param.List(default=[], item_type=dict, doc="name, title: views that can be opened.")
    notes = param.List(default=[], item_type=dict, doc="text, bad: what is to be known of the comparison.")

    _esm = source("compare_bar", "held_focus")
    _stylesheets: ClassVar[list[str]] = [style("compare_bar")]
