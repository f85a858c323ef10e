"""Files of installed packages for browsers: packed once, and kept there as long as their address means the same."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, final

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["FOREVER", "LEVEL", "KeptFiles", "takes_gzip"]

FOREVER = "public, max-age=31536000, immutable"

_ASKED_AGAIN = "no-cache"
"""Kept too, but the browser asks before each use whether it is still the same: where it is, nothing is sent."""

_NAMED = re.compile(r"@\d+\.\d+\.\d+/|-[0-9A-Z]{8}\.\w+$")
"""An exact version in the path, or a digest at the end of a file's name, as esbuild puts there."""

_PACKED = frozenset({".css", ".js", ".json", ".map", ".mjs", ".svg"})

LEVEL = 6
"""Done once for everybody: of the scripts of a page, level 1 leaves a fifth more."""


@final
class KeptFiles(StaticFiles):
    """An ASGI application: a folder whose files do not change while it is served.

    What an address names with its version - in a query, in the path, in the file's name - is kept for good; of
    anything else the browser asks whether it is still the same.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(directory=folder)
        self._packed: dict[str, tuple[str, bytes]] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        named = scope["query_string"] or _NAMED.search(scope["path"])
        response.headers["cache-control"] = FOREVER if named else _ASKED_AGAIN
        if Path(path).suffix not in _PACKED:
            return response
        response.headers.add_vary_header("accept-encoding")
        if not isinstance(response, FileResponse) or not takes_gzip(scope):
            return response
        return await self._pack(response)

    async def _pack(self, response: FileResponse) -> Response:
        path, tag = str(response.path), response.headers["etag"]
        known = self._packed.get(path)
        if known is None or known[0] != tag:
            known = self._packed[path] = (tag, await to_thread.run_sync(_packed, path))
        headers = {name: response.headers[name] for name in ("cache-control", "last-modified", "vary")}
        # The same file in other bytes than without gzip, which a tag without W/ would deny.
        headers |= {"etag": f"W/{tag}", "content-encoding": "gzip"}
        return Response(known[1], headers=headers, media_type=response.media_type)


def takes_gzip(scope: Scope) -> bool:
    """Whether the whole is asked for, by somebody who takes it packed."""
    headers = Headers(scope=scope)
    coding = headers.get("accept-encoding", "")
    return scope["method"] == "GET" and "range" not in headers and "gzip" in coding and "gzip;q=0" not in coding


def _packed(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), LEVEL, mtime=0)
