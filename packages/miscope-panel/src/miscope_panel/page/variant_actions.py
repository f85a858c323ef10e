"""What a visitor may have done with variants: analyzed by a run in the queue, moved to the trash, brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import MiscopeError
from miscope.runs.deleting import Deletion, delete_variants
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.submitting import submit_chains
from miscope.store.trash import restore
from miscope.workspace import Workspace

__all__ = ["VariantActions"]


@final
@dataclass(frozen=True, kw_only=True)
class VariantActions:
    """Of one workspace, in the words of the command line; there is none where a server only shows."""

    workspace: Workspace
    queue: RunQueue
    summon: Callable[[], None]
    """Sees to it that somebody works through the queue."""

    def analyze_missing(self, names: Sequence[str]) -> QueuedRun:
        """The run that computes what is absent of all that applies; one that is under way already, if it is the same.

        Raises BadValue for what could never be run here.
        """
        request = AnalyzeRequest(variants=tuple(names))
        ((run,),) = submit_chains(self.workspace, self.queue, [[request]], Place())
        self.summon()
        return run

    def delete(self, names: Sequence[str]) -> list[Deletion]:
        """Move them into the trash; what became of each."""
        return list(delete_variants(self.workspace, names))

    def bring_back(self, names: Sequence[str]) -> list[str]:
        """Put them back to their places; why one could not be."""
        return list(self._refused(names))

    def _refused(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            try:
                restore(self.workspace.store, name)
            except MiscopeError as error:
                yield str(error)
