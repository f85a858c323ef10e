"""How many files were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["CountedFiles"]


@final
class CountedFiles:
    """Counts what goes to the ASGI applications that it stands before."""

    def __init__(self) -> None:
        self.asked = 0

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application, each request to it counted when it comes and when it is answered."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.asked += 1
            try:
                await app(scope, receive, send)
            finally:
                self.asked += 1

        return counted
