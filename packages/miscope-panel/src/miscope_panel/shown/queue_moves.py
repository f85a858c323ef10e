"""What priorities put a waiting run earlier or later in the queue, and leave the order of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miscope.runs.queued_run import QueuedRun

__all__ = ["priorities_after"]


def priorities_after(order: Sequence[QueuedRun], number: int, by: int) -> Mapping[int, int]:
    """New priorities by run, of those whose priority has to change; only ever raised.

    order: the waiting runs, the next one first. by: so many places later, earlier where it is negative; past the first
    or the last it stays there. A run that is not among them moves nothing.
    """
    runs = {run.id: run for run in order}
    if number not in runs:
        return {}
    wanted = [one for one in runs if one != number]
    at = min(max([*runs].index(number) + by, 0), len(wanted))
    wanted.insert(at, number)
    changes: dict[int, int] = {}
    behind: tuple[int, int] | None = None
    for one in reversed(wanted):
        priority = runs[one].place.priority
        if behind is not None:
            # Of equal priority the one asked for first begins first.
            priority = max(priority, behind[0] + (one > behind[1]))
        if priority != runs[one].place.priority:
            changes[one] = priority
        behind = priority, one
    return changes
