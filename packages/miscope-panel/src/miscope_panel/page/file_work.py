"""One file in the making, which outlives the page that asked for it: loaded anew, the page finds it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Protocol, final
from weakref import WeakMethod, ref

from miscope.failure import Failure, tried

if TYPE_CHECKING:
    from miscope_panel.page.errands import Errands

__all__ = ["FileWork", "Task"]

_PATIENCE = 60.0
"""Seconds for which a file is made on while nobody looks: a page that is loaded anew is there by then."""
_LEFT = "It was left, for nobody looked at it: ask again."


@final
@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be made."""

    what: str
    """'The report'."""
    name: str
    """Of the file."""
    work: Callable[[Path], Iterator[tuple[int, int]]]
    """Writes the file; says after each part how many are done, of how many."""
    saved: bool = False
    """Whether the browser saves it at once, as who asked for it did from a menu of files."""


class Folder(Protocol):
    """Where files are made and kept: `MadeFiles`."""

    ending: Callable[[], bool]

    def place(self, name: str) -> Path: ...

    def keep(self, path: Path) -> str: ...

    def drop(self, path: Path) -> None: ...

    def leave(self, work: FileWork) -> None: ...


@final
class _Looking:
    """A page that looks on; kept alive by nobody here."""

    def __init__(self, errands: Errands, take: Callable[[dict[str, Any]], None]) -> None:
        self._errands, self._take = ref(errands), WeakMethod(take)

    @property
    def there(self) -> bool:
        errands = self._errands()
        return errands is not None and errands.stands and self._take() is not None

    def tell(self, told: dict[str, Any]) -> None:
        errands, take = self._errands(), self._take()
        if errands is not None and take is not None:
            errands.hand(partial(take, told))


@final
class FileWork:
    """How far it is, and the address of the file once it is there; left where nobody wants it any more."""

    def __init__(self, task: Task, files: Folder, patience: float = _PATIENCE) -> None:
        """patience: seconds for which it goes on while no page looks on."""
        self.key = token_urlsafe(12)
        """By which a page finds it again."""
        self._task, self._files, self._patience = task, files, patience
        self._turn = threading.Lock()
        self._pages: list[_Looking] = []
        self._left, self._seen = False, time.monotonic()
        self.told: dict[str, Any] = {"key": self.key, "what": task.what, "name": task.name, "far": ""}
        """What is shown of it: how far it is, the address of the file, or the error why there is none."""

    def follow(self, errands: Errands, take: Callable[[dict[str, Any]], None]) -> None:
        """Have a page told from now on, where its components may be changed; `take` is a method of an object."""
        with self._turn:
            self._pages.append(_Looking(errands, take))

    def leave(self) -> None:
        """Nobody wants it any more."""
        self._left = True

    def do(self) -> None:
        """Make it, on a thread."""
        made = tried(self._made)
        if isinstance(made, Failure):
            self._tell(error=made.error)
        elif made:
            self._tell(address=made, saved=self._task.saved)
        else:
            # Found again it would be taken for under way, for good.
            self._files.leave(self)
            self._tell(error=_LEFT)

    def _wanted(self) -> bool:
        with self._turn:
            self._pages = [page for page in self._pages if page.there]
            now = time.monotonic()
            if self._pages:
                self._seen = now
            return not (self._left or self._files.ending()) and now - self._seen <= self._patience

    def _made(self) -> str:
        """The address of the file; '' where nobody wants it by then."""
        if not self._wanted():
            return ""
        path, address = self._files.place(self._task.name), ""
        try:
            if self._write(path):
                address = self._files.keep(path)
        finally:
            if not address:
                self._files.drop(path)
        return address

    def _write(self, path: Path) -> bool:
        """Whether the file is there, and somebody wants it still."""
        for done, total in self._task.work(path):
            if not self._wanted():
                return False
            self._tell(far=f"{done} of {total}", share=done / max(total, 1))
        return self._wanted()

    def _tell(self, **told: Any) -> None:
        with self._turn:
            self.told = {"key": self.key, "what": self._task.what, "name": self._task.name, **told}
            pages = [*self._pages]
        for page in pages:
            page.tell(self.told)
