"""The page around the cards: its address, its theme, and what all charts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.page_component import PageComponent

__all__ = ["Shell"]


@final
class Shell(PageComponent):
    """Invisible while all is well; writes the URL, hears the browser's back button, and loads the page anew once a
    server that was gone answers again."""

    query = param.String(doc="What the URL says after the question mark.")
    dark = param.Boolean(default=False)
    selected = param.Dict(default={}, doc="What -> which of what is selected for all cards, for the marks in charts.")
    charts = param.Dict(default={}, doc="plotly.js bundle, templates and configuration.")

    unread = param.List(default=[], item_type=str, doc="What the address names that is not here, in sentences.")
    kept = param.Dict(default={}, doc="What pages would lose with their server, by name; the browser keeps it.")

    _esm = source("shell", "kept_in_tab", "reconnecting", "menus_by_key", "current_stop", "skip_link", "unread")
    _stylesheets: ClassVar[list[str]] = [style("shell")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_return: Callable[[str], None] = lambda query: None
        self.on_kept: Callable[[Mapping[str, str]], object] = lambda kept: None
        self.on_scheme: Callable[[bool], object] = lambda dark: None
        """Called with whether the browser asks for the dark colours."""

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if isinstance(query := data.get("query"), str):
            self.on_return(query)
        if isinstance(dark := data.get("prefers_dark"), bool):
            self.on_scheme(dark)
        if isinstance(kept := data.get("kept"), dict):
            self.on_kept({name: text for name, text in kept.items() if isinstance(text, str)})
