"""The body of a request, read up to a bound before anything acts on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["MOST", "TooLong", "bounded"]

MOST = 2**20
"""Bytes of a body; a request names things, it carries none."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class TooLong(Exception):
    """A body beyond the bound."""


async def bounded(receive: Receive, said: str) -> tuple[Receive, bytes]:
    """The same request with its body read, and the body; TooLong beyond the bound, before the rest of it is read.

    said: its content-length header, "" where it has none.
    """
    if said and not (said.isdigit() and int(said) <= MOST):
        raise TooLong
    messages, size, more = [], 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
        if size > MOST:
            raise TooLong
    waiting = iter(messages)

    async def again() -> MutableMapping[str, Any]:
        read = next(waiting, None)
        return await receive() if read is None else read

    return again, b"".join(message.get("body", b"") for message in messages)
