"""A component in the browser whose messages one receiver hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from miscope_panel.page.page_component import PageComponent

__all__ = ["MessagingComponent"]


class MessagingComponent(PageComponent):
    """What `model.send_msg` says in the browser goes to `on_message`."""

    __abstract = True

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self.on_message(data)
