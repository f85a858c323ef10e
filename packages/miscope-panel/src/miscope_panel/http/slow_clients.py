"""A client that takes nothing of what is sent to it is let go: what waits for it would wait for good."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, final

__all__ = ["TAKE_WITHIN", "Patience", "WatchedTransport"]

TAKE_WITHIN = 30.0
"""Seconds in which a client has to take some of what is sent to it."""

_LOOKS = 6
"""In that time."""

_log = logging.getLogger("miscope.serve")


@final
class Patience:
    """With one client: whether it took something lately, or there was nothing to take."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds, self._since, self._taken = seconds, now, 0

    def ends(self, *, taken: int, left: int, now: float) -> bool:
        """Whether it is over. taken, left: bytes, of all that was ever sent to it, that are on their way, and that are
        not; now: seconds of a clock."""
        if not left or taken > self._taken:
            self._since, self._taken = now, taken
        return now - self._since >= self._seconds


@final
class WatchedTransport:
    """A connection's transport that ends the connection, whatever speaks over it, and while it is closed too.

    Closing alone would not end it: asyncio first waits until everything is sent.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop, self._given = transport, loop, 0
        self._every, self._patience = TAKE_WITHIN / _LOOKS, Patience(TAKE_WITHIN, loop.time())
        self._socket = transport.get_extra_info("socket")
        loop.call_later(self._every, self._look)

    def __getattr__(self, name: str) -> Any:
        """Whatever else a transport can do."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it."""
        self._given += len(data)
        self._transport.write(data)

    def _look(self) -> None:
        if self._socket.fileno() < 0:
            return
        left = self._transport.get_write_buffer_size()
        if self._patience.ends(taken=self._given - left, left=left, now=self._loop.time()):
            client = "{}:{}".format(*self._transport.get_extra_info("peername", ("?", "?"))[:2])
            told = "%s took nothing of the %d bytes that wait for it in %g seconds: its connection is closed."
            _log.warning(told, client, left, TAKE_WITHIN)
            self._transport.abort()
        else:
            self._loop.call_later(self._every, self._look)
