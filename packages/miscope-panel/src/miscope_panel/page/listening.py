"""What happens to runs and notes while a page is looked at, and nothing of it otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard

__all__ = ["Listening"]


@final
class Listening:
    """Of one page."""

    def __init__(self, context: PageContext, take: Callable[[Heard], None]) -> None:
        """take: told on the page's event loop; a method of an object that the page keeps."""
        self._watch, self._errands, self._take = context.server.watch, context.errands, take
        self._leave: Callable[[], None] | None = None

    @property
    def begun(self) -> bool:
        """Whether the page is told."""
        return self._leave is not None

    def look(self, *, looked_at: bool) -> None:
        """Listen, or be still."""
        if looked_at and self._leave is None:
            self._leave = self._watch.listen(self._errands.hand, self._take)
        elif not looked_at and self._leave is not None:
            self._leave()
            self._leave = None
