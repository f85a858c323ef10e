"""The lenses in the sidebar: which question to look at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.page_component import PageComponent

__all__ = ["LensList"]


@final
class LensList(PageComponent):
    """Named sets of views; a press or a number key opens one, and puts the open one away."""

    lenses = param.List(default=[], item_type=dict, doc="name, title, summary, shown, of, open (`LensChoice`).")
    said = param.String(default="", doc="What is to be said of the one that the address names.")
    active = param.Boolean(default=True, doc="Whether keys choose.")

    _esm = source("lens_list", "one_stop")
    _stylesheets: ClassVar[list[str]] = [style("lens_list")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_choice: Callable[[str], None] = lambda name: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if isinstance(name := data.get("lens"), str):
            self.on_choice(name)
