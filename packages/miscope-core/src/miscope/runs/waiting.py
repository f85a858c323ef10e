"""Which runs wait in vain: what they need has ended, and is not completed."""

from __future__ import annotations

from collections.abc import Mapping

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED, RunState

__all__ = ["in_vain"]


def in_vain(runs: Mapping[int, QueuedRun]) -> dict[int, QueuedRun]:
    """For each pending run that will not begin as things stand, the one that has to be completed first.

    runs: all of the queue by their numbers, the deleted ones too. Through however many runs one waits for the other.
    """
    causes: dict[int, QueuedRun | None] = {}

    def cause(run: QueuedRun) -> QueuedRun | None:
        if run.id not in causes:
            causes[run.id] = None
            needed = [runs[number] for number in run.place.needs if number in runs]
            ended = [each for each in needed if each.state in ENDED and each.state is not RunState.COMPLETED]
            found = (cause(each) for each in needed if each.state is RunState.PENDING)
            causes[run.id] = ended[0] if ended else next((each for each in found if each is not None), None)
        return causes[run.id]

    pending = [run for run in runs.values() if run.state is RunState.PENDING]
    return {run.id: root for run in pending if (root := cause(run)) is not None}
