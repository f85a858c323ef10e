"""Files of Bokeh's extensions for browsers, each in the folder that its package names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, final

from starlette.exceptions import HTTPException

from miscope_panel.http.kept_files import KeptFiles

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["ExtensionFiles"]


@final
class ExtensionFiles:
    """An ASGI application, mounted under `{name}`: the folder of that extension, as kept files.

    folders: by the names of their extensions. A page of a plug-in may import one long after the server began, so they
    are looked up when they are asked for.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._files: dict[str, KeptFiles] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path_params"]["name"]
        if name not in self._files:
            if name not in self._folders:
                raise HTTPException(status_code=404)
            self._files[name] = KeptFiles(self._folders[name])
        await self._files[name](scope, receive, send)
