"""How much works in the queue, told to the header of every page whenever that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from miscope_panel.shown.jobs_told import NOTHING, JobsTold

if TYPE_CHECKING:
    from miscope_panel.page.errands import Errands
    from miscope_panel.page.page_record import ServerContext
    from miscope_panel.page.run_watch import Heard

__all__ = ["JobsBadge"]


@final
class JobsBadge:
    """Listens for as long as somebody keeps it."""

    def __init__(self, server: ServerContext, errands: Errands, tell: Callable[[JobsTold], None]) -> None:
        """tell: called on the page's event loop, at first where anything works, and then at each change."""
        # The errands are kept here, since who listens keeps nothing.
        self._errands, self._tell, self._last = errands, tell, NOTHING
        self.leave = server.watch.listen(errands.hand, self.take)

    def take(self, heard: Heard) -> None:
        """Tell it on, where it is otherwise than before."""
        if heard.told != self._last:
            self._last = heard.told
            self._tell(heard.told)
