"""What is made of a page in the background: how far it is, a way to leave it, and the file when it is there."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.file_work import FileWork, Task
from miscope_panel.page.messaging_component import MessagingComponent
from miscope_panel.page.page_record import PageContext

__all__ = ["Making", "MakingBar"]


@final
class MakingBar(MessagingComponent):
    """A menu of what can be made of the cards, and what is made."""

    of = param.String(doc="Which page it is of: each finds its own after a reload.")
    making = param.Dict(
        default={}, doc="What is made, its key, how far it is, the address of the file, or why there is none."
    )

    _esm = source("making", "menu")
    _stylesheets: ClassVar[list[str]] = [style("making")]


@final
class Making:
    """Of one page: one thing at a time; another takes the place of what is not done yet."""

    def __init__(self, context: PageContext, of: str) -> None:
        self._files, self._errands = context.server.made, context.errands
        self._work: FileWork | None = None
        self.view = MakingBar(of=of, margin=0)

    def begin(self, task: Task) -> None:
        """Have it made on a thread."""
        self.leave()
        self._follow(self._files.begin(task))

    def find(self, key: str) -> None:
        """Go on with what was being made before the page was loaded anew, if it is there still."""
        # Once the page is there: a browser that still fetches it can miss what changes.
        self._errands.hand(partial(self._find, key))

    def _find(self, key: str) -> None:
        work = self._files.work(key)
        if work is not None and self._work is None:
            self._follow(work)

    def leave(self) -> None:
        """Nobody wants it any more."""
        if self._work is not None:
            self._files.leave(self._work)
        self._work = None
        self.view.making = {}

    def _follow(self, work: FileWork) -> None:
        self._work = work
        work.follow(self._errands, self.take)
        self.take(work.told)

    def take(self, told: dict[str, Any]) -> None:
        """How far it is by now."""
        if self._work is not None and told["key"] == self._work.key:
            self.view.making = told
