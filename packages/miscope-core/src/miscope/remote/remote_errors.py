"""What goes wrong between here and a server."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import final

from miscope.errors import MiscopeError

__all__ = ["NoClient", "Refused", "Unreachable", "need_client"]


@final
class NoClient(MiscopeError):
    """A server was to be asked, and what asks it is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "miscope.connect asks a server, and the packages httpx and websockets are not both installed.",
            "They are an extra of miscope-core: a workspace that is here needs neither.",
            "Install them:  pip install miscope-core[client]",
        )


@final
class Unreachable(MiscopeError):
    """No answer came from the server."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(
            f"No answer comes from {url}.",
            f"{reason}." if reason else "",
            "Is `miscope serve` running there? What was asked of it last may have been done: look before asking again.",
        )


@final
class Refused(MiscopeError):
    """The server refused what was asked; its text is the server's own."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, str] | None = None) -> None:
        """fields: what is wrong with each value, by where it stands in what was asked."""
        self.status, self.code, self.fields = status, code, dict(fields or {})
        super().__init__(message)


def need_client() -> None:
    """Raise NoClient where the extra is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("httpx", "websockets")):
        raise NoClient
