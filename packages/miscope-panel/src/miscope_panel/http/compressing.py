"""Answers as gzip for whoever takes it; neither a stream of events, whose parts are to come at once, nor files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, final

from starlette.middleware.gzip import GZipMiddleware

from miscope_panel.http.problem import PREFIX

__all__ = ["SHORTEST", "Compressed"]

SHORTEST = 1024
"""Bytes below which it is not worth it."""

_LEVEL = 1
"""Of columns of numbers, level 5 makes a twentieth less and takes five times as long: longer than all else of such an
answer together."""

_AS_THEY_ARE = (f"{PREFIX}/events", f"{PREFIX}/export/")


@final
class Compressed:
    """An ASGI layer."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self._gzip = app, GZipMiddleware(app, minimum_size=SHORTEST, compresslevel=_LEVEL)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        # A page is sent in parts too, and packing would keep its head back until the whole is there.
        plain = scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith(_AS_THEY_ARE)
        await (self.app if plain else self._gzip)(scope, receive, send)
