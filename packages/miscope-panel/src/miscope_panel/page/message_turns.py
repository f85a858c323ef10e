"""Messages of one websocket, each whole before the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from bokeh.protocol.message import Message

__all__ = ["MessageTurns"]


@final
class MessageTurns:
    """Sends messages in the order in which they are given, one after the other.

    bokeh-fastapi (0.1.8) sends a message in several parts and waits between them where the line is slow. Parts of two
    messages that come mixed break the connection, and a message about what one before it makes is not understood.
    """

    def __init__(self, send: Callable[[Message], Awaitable[int]]) -> None:
        self._send = send
        self._turn = asyncio.Lock()

    def __call__(self, message: Message) -> Awaitable[int]:
        """The sending, whose place is taken now and not when somebody begins to wait for it.

        On another thread than the event loop's it is taken then, for there is nothing now that could take it.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._sent(message)
        return loop.create_task(self._sent(message))

    async def _sent(self, message: Message) -> int:
        async with self._turn:
            return await self._send(message)
