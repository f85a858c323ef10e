"""Bounds on what strangers can hold open: so many connections, so long without asking, or without taking the answer."""

from __future__ import annotations

import asyncio
import logging
from typing import cast, final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from miscope_panel.http.slow_clients import WatchedTransport

__all__ = ["MOST", "BoundedConnection"]

MOST = 256
"""Open at a time; a page holds one for good and up to six for a while."""

_SPEAK_WITHIN = 20.0
"""Seconds from the opening of a connection to the end of its first request's head."""

_LONGEST = 8000
"""Bytes of the address, and of each header, of a WebSocket: websockets (17.4) reads lines of 8192, and where one is
longer uvicorn (0.54) neither answers nor closes."""

_FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close\r\nretry-after: 5\r\n\r\n"
_WORDS = b"Too many connections are open; close some pages, or try again in a few seconds.\n"

_log = logging.getLogger("miscope.serve")


@final
class BoundedConnection(H11Protocol):
    """An HTTP connection that is refused beyond the bound, and closed if nothing is asked on it or taken from it."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take the connection, or say that there are too many."""
        super().connection_made(cast("asyncio.Transport", WatchedTransport(transport, self.loop)))
        if len(self.connections) > MOST:
            # One line when the bound is reached, not one for each that is turned away.
            if not self.app_state.get("full"):
                _log.warning("%d connections are open, and no more are taken until some are closed.", MOST)
            self.app_state["full"] = True
            self.transport.write(_FULL + _WORDS)
            self.transport.close()
            return
        self._deadline = self.loop.call_later(_SPEAK_WITHIN, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; below the bound the next warning is news again."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)
        if len(self.connections) < MOST // 2:
            self.app_state["full"] = False

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the connection was turned away."""
        if not self.transport.is_closing():
            super().data_received(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection to the WebSocket's protocol, unless that could not read what was asked."""
        if len(event.target) > _LONGEST or any(len(name) + len(value) > _LONGEST for name, value in event.headers):
            self.send_400_response("That address, or one of the headers, is too long.")
        else:
            super().handle_websocket_upgrade(event)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing() and self.transport.get_protocol() is self:
            self.transport.close()
