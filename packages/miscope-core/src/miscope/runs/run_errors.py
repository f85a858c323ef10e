"""What is refused to whoever asks something of a run, or of the queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError

__all__ = ["StillNeeded", "Supervised", "WrongState"]


class WrongState(MiscopeError):
    """A run of which something is asked that its state does not allow."""

    def __init__(self, run: int, state: str, action: str, sources: Iterable[str], allowed: Sequence[str]) -> None:
        """sources: the states that allow it. allowed: what may be asked of this run as it stands."""
        self.run, self.state, self.action, self.allowed = run, state, action, tuple(allowed)
        super().__init__(
            f"Run {run} is {state}, which does not allow '{action}'.",
            f"It is for runs that are {' or '.join(sorted(sources)) or 'in no state'}.",
            f"What may be asked of this one: {', '.join(allowed)}." if allowed else "Wait until it has ended.",
        )


class StillNeeded(BadValue):
    """A run that is to be deleted while others wait for it."""

    def __init__(self, run: int, waiting: Sequence[int]) -> None:
        self.run, self.waiting = run, tuple(waiting)
        super().__init__(
            f"Run {run} cannot be deleted.",
            f"These wait for it: {', '.join(map(str, waiting))}.",
            "Cancel them, or retry it.",
        )


class Supervised(MiscopeError):
    """A queue that somebody works through already."""

    def __init__(self, root: Path, holder: str) -> None:
        self.holder = holder
        super().__init__(
            f"The runs of {root} have a supervisor already.",
            f"It is {holder}; two would start the same runs.",
            f"It takes what is asked for:  {in_workspace(root, 'miscope runs list')}",
        )
