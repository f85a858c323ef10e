"""A button that is turned off and on again, and renamed, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.page_component import PageComponent

__all__ = ["PushButton"]


@final
class PushButton(PageComponent):
    """Shows what the server says of it and nothing else.

    A control of panel-material-ui keeps each value in the browser, too, and writes it back once it is drawn: where it
    changes twice within a moment the first comes back, and the control stays disabled for ever.
    """

    label = param.String()
    disabled = param.Boolean(default=False)
    look = param.Selector(default="labelled", objects=["labelled", "badge"], doc="Which class of its styles.")
    clicks = param.Integer(default=0, doc="How often it was pressed.")

    _esm = source("push_button")
    _stylesheets: ClassVar[list[str]] = [style("push_button")]

    def on_click(self, action: Callable[[Any], object]) -> None:
        """Have it called at each press, with what `param` tells of the change."""
        self.param.watch(action, "clicks")

    def focus(self) -> None:
        """Give it the keys."""
        self._send_msg({"kind": "focus"})

    def _handle_msg(self, data: dict[str, Any]) -> None:
        # It may have been turned off while the press was on its way.
        if data.get("kind") == "press" and self.visible and not self.disabled:
            self.clicks += 1
