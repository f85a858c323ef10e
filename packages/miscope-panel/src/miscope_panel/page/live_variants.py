"""What happens to the variants that a page shows, told to it while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import final
from weakref import finalize

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.files_changed import FilesChanged

__all__ = ["LiveVariants"]


@final
class LiveVariants:
    """Listens for files of these variants, whoever writes them, and for the ends of runs of them."""

    def __init__(self, context: PageContext) -> None:
        self._watch, self._folders, self._errands = context.server.watch, context.server.folders, context.errands
        self.on_files: Callable[[FilesChanged], None] = lambda files: None
        """Called with what came or went."""
        self.on_ended: Callable[[], None] = lambda: None
        """Called when a run of any of them has ended."""
        self.on_moved: Callable[[], None] = lambda: None
        """Called when any run began or ended: there may be other variants than before."""
        self._names: frozenset[str] | None = None
        self._leave: Callable[[], None] | None = None
        self._leave_files: Callable[[], object] = lambda: None

    def look(self, names: Iterable[str] | None) -> None:
        """Tell of these from now on; None: of nothing."""
        wanted = None if names is None else frozenset(name for name in names if name)
        if wanted == self._names:
            return
        self._names = wanted
        self._leave_files()
        # A page that is closed says nothing.
        self._leave_files = finalize(self, self._folders.attend(wanted)) if wanted else lambda: None
        if wanted is not None and self._leave is None:
            self._leave = self._watch.listen(self._errands.hand, self.hear)
        elif wanted is None and self._leave is not None:
            self._leave()
            self._leave = None

    def hear(self, heard: Heard) -> None:
        """What happened since."""
        names = self._names
        if names is None:
            return
        if files := heard.files.of(names):
            self.on_files(files)
        if any(run.state in ENDED and names & _variants(run) for run in heard.runs.values()):
            self.on_ended()
        if heard.moved:
            self.on_moved()


def _variants(run: QueuedRun) -> frozenset[str]:
    """Those that it is of."""
    return frozenset(run.request.variants if isinstance(run.request, AnalyzeRequest) else (run.what,))
