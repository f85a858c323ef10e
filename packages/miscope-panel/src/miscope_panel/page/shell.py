"""The page around the cards: its address, its theme, and what all charts share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param
from panel.custom import JSComponent

from miscope_panel.page.client import source, style

__all__ = ["Shell"]


@final
class Shell(JSComponent):
    """Invisible while all is well; writes the URL and hears the browser's back button."""

    query = param.String(doc="What the URL says after the question mark.")
    dark = param.Boolean(default=False)
    charts = param.Dict(default={}, doc="plotly.js bundle, templates and configuration.")

    _esm = source("shell")
    _stylesheets: ClassVar[list[str]] = [style("shell")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_return: Callable[[str], None] = lambda query: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if isinstance(query := data.get("query"), str):
            self.on_return(query)
