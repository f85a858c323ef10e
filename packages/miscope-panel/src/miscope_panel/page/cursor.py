"""The one step cursor of the page. It lives in the browser; here it only says where it came to rest."""

from __future__ import annotations

from typing import ClassVar, final

import param
from panel.custom import JSComponent

from miscope_panel.page.client import source, style

__all__ = ["Cursor"]


@final
class Cursor(JSComponent):
    """Slider, keys, play and typed step over every checkpoint of a variant."""

    steps = param.List(default=[], item_type=int, doc="Every checkpoint, ascending; never a sample of them.")
    asked = param.Integer(
        default=None, allow_None=True, doc="The step asked for, 80 ms after the last move; None: the last."
    )
    spacing = param.Selector(default="linear", objects=["linear", "log"], doc="Of the steps along the slider.")
    followed = param.Integer(
        default=None, allow_None=True, doc="The step that every card was asked for; play goes on when all show it."
    )
    step_label = param.String(default="step")
    events = param.Dict(default={}, doc="Named steps to mark.")
    active = param.Boolean(default=True, doc="Whether keys move it.")

    _esm = source("page_cursor", "cursor")
    _stylesheets: ClassVar[list[str]] = [style("cursor")]
