"""What a browser or a script may keep of an answer, and when it is told that it has it already."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, final

from fastapi import Response

from miscope_panel.http.problem import PREFIX

if TYPE_CHECKING:
    from fastapi import Request

__all__ = ["Cached", "is_another", "tagged"]

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@final
class Cached:
    """An ASGI layer: how things stand is for nobody to keep, unless an answer says otherwise itself."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        told = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")

        async def sent(message: MutableMapping[str, Any]) -> None:
            if told and message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                if not any(name.lower() == b"cache-control" for name, _ in given):
                    message = {**message, "headers": [*given, (b"cache-control", b"no-store")]}
            await send(message)

        await self.app(scope, receive, sent)


def is_another(if_match: str | None, tag: str) -> bool:
    """Whether that header means something else than what has this tag."""
    known = {each.strip() for each in (if_match or "*").split(",")}
    return not known & {tag, "*"}


def tagged(request: Request, response: Response) -> Response:
    """The answer with a tag of its content; 304 without it, where that is the tag of what the asker has."""
    tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
