"""Keys over the table of runs: they do what buttons do, and are left alone where one types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import param

from miscope_panel.page.client import source
from miscope_panel.page.page_component import PageComponent

__all__ = ["RunsKeys"]


@final
class RunsKeys(PageComponent):
    """Hears keys while the table is looked at."""

    active = param.Boolean(default=False, doc="Whether the table is looked at.")
    in_sight = param.Boolean(default=True, doc="Whether the browser shows this page; it says so.")

    _esm = source("runs_keys", "tab_order")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_find: Callable[[], None] = lambda: None
        self.on_compare: Callable[[], None] = lambda: None
        self.on_open: Callable[[int], None] = lambda place: None
        """Called with the row's place on the page of the table that is looked at."""
        self.on_fold: Callable[[int, bool], None] = lambda place, unfolded: None
        """Called with such a place, and whether the group there is to be unfolded."""

    def _handle_msg(self, data: dict[str, Any]) -> None:
        match data:
            case {"key": "find"}:
                self.on_find()
            case {"key": "compare"}:
                self.on_compare()
            case {"key": "open", "row": int(place)}:
                self.on_open(place)
            case {"key": "fold", "row": int(place), "unfolded": bool(unfolded)}:
                self.on_fold(place, unfolded)
