"""What is made of a page in the background: how far it is, a way to leave it, and the file when it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, final

import param

from miscope.failure import Failure, tried
from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent
from miscope_panel.page.page_record import PageContext

__all__ = ["Making", "MakingBar", "Task"]


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


@final
class MakingBar(MessagingComponent):
    """A menu of what can be made of the cards, and what is made."""

    making = param.Dict(default={}, doc="What is made, how far it is, the address of the file, or why there is none.")

    _esm = source("making", "menu")
    _stylesheets: ClassVar[list[str]] = [style("making")]


@final
class Making:
    """Of one page: one thing at a time; another takes the place of what is not done yet."""

    def __init__(self, context: PageContext) -> None:
        self._files, self._errands = context.server.made, context.errands
        self._wanted: Task | None = None
        self.view = MakingBar(margin=0)

    def begin(self, task: Task) -> None:
        """Have it made on a thread."""
        self._wanted = task
        self._say(task, far="")
        self._errands.send(partial(tried, partial(self._made, task)), partial(self._done, task), self._files.threads)

    def leave(self) -> None:
        """Nobody wants it any more."""
        self._wanted = None
        self.view.making = {}

    def _wants(self, task: Task) -> bool:
        return self._wanted is task and self._errands.stands

    def _made(self, task: Task) -> str:
        """The address of the file; '' where nobody wants it by then."""
        if not self._wants(task):
            return ""
        path, address = self._files.place(task.name), ""
        try:
            if self._write(task, path):
                address = self._files.keep(path)
        finally:
            if not address:
                self._files.drop(path)
        return address

    def _write(self, task: Task, path: Path) -> bool:
        """Whether the file is there, and somebody wants it still."""
        for done, total in task.work(path):
            if not self._wants(task):
                return False
            self._errands.hand(partial(self._say, task, far=f"{done} of {total}", share=done / max(total, 1)))
        return self._wants(task)

    def _say(self, task: Task, **told: Any) -> None:
        if self._wanted is task:
            self.view.making = {"what": task.what, "name": task.name, **told}

    def _done(self, task: Task, address: str | Failure) -> None:
        if isinstance(address, Failure):
            self._say(task, error=address.error)
        elif address:
            self._say(task, address=address, saved=task.saved)
