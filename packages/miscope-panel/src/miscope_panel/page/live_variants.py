"""What happens to the variants that a page shows, told to it while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import final
from weakref import finalize

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED
from miscope_panel.page.folder_watch import Watched
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
        """Called when a run of any of them has ended, or may have while another page was looked at."""
        self.on_moved: Callable[[], None] = lambda: None
        """Called when any run began or ended: there may be other variants than before."""
        self._names: frozenset[str] | None = None
        self._known: Mapping[str, Watched] | None = None
        """Of those that were looked at before another page was; None where none was."""
        self._leave: Callable[[], None] | None = None
        self._leave_files: Callable[[], object] = lambda: None

    def look(self, names: Iterable[str] | None) -> None:
        """Tell of these from now on; None: of nothing until there are names again, and then of what came meanwhile."""
        wanted = None if names is None else frozenset(name for name in names if name)
        if wanted == self._names:
            return
        before, self._names = self._names, wanted
        known, self._known = self._known, self._folders.known(before or ()) if wanted is None else None
        if wanted is not None and self._leave is None:
            # Before the files are looked at: they are told once.
            self._leave = self._watch.listen(self._errands.hand, self.hear)
        elif wanted is None and self._leave is not None:
            self._leave()
            self._leave = None
        leave = self._leave_files
        # A page that is closed says nothing.
        self._leave_files = finalize(self, self._folders.attend(wanted, known)) if wanted else lambda: None
        # Only now: what nobody looks at for a moment is forgotten, with all that is still to be told of it.
        leave()
        if known is not None and wanted is not None:
            self.on_ended()

    def hear(self, heard: Heard) -> None:
        """What happened since."""
        names = self._names
        if names is None:
            # Said as the page was left: kept for the return.
            for name, parts in heard.files.rested.items():
                if self._known and name in self._known:
                    self._known[name].restless |= parts
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
