"""A line of text that is heard as soon as it is entered."""

from __future__ import annotations

from typing import Any, ClassVar, final

import panel_material_ui as pmui
import param

__all__ = ["TextField"]


@final
class TextField(pmui.TextInput):
    """Panel waits a moment for more of what a hand does; what was entered is whole.

    What is typed while the server takes up what was entered comes together with that, and stands.
    """

    _debounce: ClassVar[int] = 0

    _goes_on = False
    """Whether more was typed since what comes was entered."""

    def _process_events(self, events: dict[str, Any]) -> None:
        self._goes_on = events.get("value_input", events.get("value")) != events.get("value")
        try:
            super()._process_events(events)
        finally:
            self._goes_on = False

    @param.depends("value", watch=True, on_init=True)
    def _sync_value_input(self) -> None:
        if not self._goes_on:
            super()._sync_value_input()
