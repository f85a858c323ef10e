"""What goes wrong between here and a server."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import final

from miscope.errors import MiscopeError

__all__ = ["NoClient", "NotMiscope", "NotRemote", "OtherApi", "Refused", "Unreachable", "need_client"]


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

    def __init__(self, url: str, reason: str, *, advice: str = "", unsure: bool = False) -> None:
        """advice: in place of a look at the server. unsure: what was asked of it may have been done all the same."""
        self.url = url
        asked = advice or "Is `miscope serve` running there, and is the address right?"
        look = " What was asked of it last may have been done: look before asking again." if unsure else ""
        super().__init__(f"No answer comes from {url}.", f"{reason or 'Nothing is known of why'}.", f"{asked}{look}")


@final
class NotMiscope(MiscopeError):
    """What answers at that address is another's."""

    def __init__(self, url: str, said: str) -> None:
        """said: how it answered, a clause."""
        self.url = url
        super().__init__(
            f"What answers at {url} is no server of miscope.",
            f"It answered with {said}.",
            "Is the address right? Give the one that `miscope serve` prints.",
        )


@final
class NotRemote(MiscopeError, AttributeError):
    """A word of a workspace that is here was asked of a server's, which has it not."""

    def __init__(self, word: str, handle: str, why: str, instead: str) -> None:
        """why, instead: a sentence each."""
        super().__init__(f"A {handle} has no `{word}`.", why, instead)


@final
class OtherApi(MiscopeError):
    """The server is of a version of miscope that this client cannot talk to."""

    def __init__(self, url: str, versions: tuple[str, str], apis: tuple[object, object]) -> None:
        """versions: of miscope here and there. apis: of what is spoken over HTTP, here and there."""
        self.url, (mine, its), (my_api, its_api) = url, versions, apis
        super().__init__(
            f"The server at {url} cannot be talked to: it is of another version of miscope.",
            f"It is miscope {its}, whose API is version {its_api}; here is miscope {mine}, which speaks {my_api}.",
            "Install the same version on both sides.",
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
