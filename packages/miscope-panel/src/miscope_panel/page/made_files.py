"""Files that were made for visitors of a server - reports, films - and are fetched by them once they are ready."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from tempfile import mkdtemp
from typing import final
from weakref import finalize

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from miscope_panel.page.file_work import FileWork, Task

__all__ = ["MadeFiles"]

_MOST = 20
"""Files that are kept; the oldest goes for the next."""
_ADDRESS = "/made"
_KINDS: Mapping[str, str] = {
    ".html": "text/html",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".ipynb": "application/x-ipynb+json",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".npz": "application/octet-stream",
}


@final
class MadeFiles:
    """Of one server; they lie in a folder that goes with it. Safe to use from any number of threads."""

    def __init__(self, ending: Callable[[], bool] = lambda: False) -> None:
        """ending: whether the server was told to end, so that nothing is made any more."""
        self.ending = ending
        self._turn = threading.Lock()
        self._works: OrderedDict[str, FileWork] = OrderedDict()
        """What is made and was made lately, by its key."""
        self._folder: Path | None = None
        self._paths: OrderedDict[str, Path] = OrderedDict()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def threads(self) -> Executor:
        """Where they are made, two at a time: that takes seconds or minutes, and keeps no figure waiting."""
        with self._turn:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(2, thread_name_prefix="miscope-made")
            return self._threads

    def begin(self, task: Task) -> FileWork:
        """Have it made on a thread, as soon as there is one."""
        work = FileWork(task, self)
        with self._turn:
            self._works[work.key] = work
            while len(self._works) > _MOST:
                self._works.popitem(last=False)
        self.threads.submit(work.do)
        return work

    def work(self, key: str) -> FileWork | None:
        """What has that key; None where it was left, or is too long ago."""
        with self._turn:
            return self._works.get(key)

    def leave(self, work: FileWork) -> None:
        """Nobody wants it any more."""
        work.leave()
        with self._turn:
            self._works.pop(work.key, None)

    def place(self, name: str) -> Path:
        """Where a file of that name is to be written, in a folder of its own; nobody finds it before it is kept."""
        key = token_urlsafe(12)
        with self._turn:
            if self._folder is None:
                self._folder = Path(mkdtemp(prefix="miscope-made-"))
                # Also where the process ends before anybody lets go of this.
                finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            path = self._folder / key / name
            path.parent.mkdir()
        return path

    def keep(self, path: Path) -> str:
        """The address under which a file that was written is found from now on."""
        key = path.parent.name
        with self._turn:
            self._paths[key] = path
            while len(self._paths) > _MOST:
                _, oldest = self._paths.popitem(last=False)
                self.drop(oldest)
        return f"{_ADDRESS}/{key}/{path.name}"

    def drop(self, path: Path) -> None:
        """Remove a file that is not kept, whole or not, with what was written beside it."""
        shutil.rmtree(path.parent, ignore_errors=True)

    def router(self) -> APIRouter:
        """The route by which they are fetched."""
        routes = APIRouter()

        @routes.get(f"{_ADDRESS}/{{key}}/{{name}}", include_in_schema=False)
        def made(key: str, name: str) -> FileResponse:
            path = self._paths.get(key)
            if path is None or path.name != name or not path.is_file():
                raise HTTPException(404, "No such file is kept any more: have it made again.")
            return FileResponse(path, media_type=_KINDS.get(path.suffix), headers={"cache-control": "no-store"})

        return routes
