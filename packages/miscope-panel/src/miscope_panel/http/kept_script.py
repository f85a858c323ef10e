"""A script that the server makes: made and packed once, when it is first asked for, and kept by browsers for good."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import Response
from starlette.routing import Route, Router

from miscope_panel.http.kept_files import FOREVER, LEVEL, takes_gzip

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["kept_script"]


def kept_script(name: str, make: Callable[[], str]) -> Router:
    """An ASGI application, a folder with one script. Its address is to have the version of what lies in it."""

    @cache
    def packed() -> bytes:
        return gzip.compress(make().encode(), LEVEL, mtime=0)

    async def answer(request: Request) -> Response:
        sent = await to_thread.run_sync(packed)
        headers = {"cache-control": FOREVER, "vary": "accept-encoding"}
        if takes_gzip(request.scope):
            headers["content-encoding"] = "gzip"
        else:
            sent = await to_thread.run_sync(gzip.decompress, sent)
        return Response(sent, headers=headers, media_type="text/javascript")

    return Router([Route(f"/{name}", answer)])
