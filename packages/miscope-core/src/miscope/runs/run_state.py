"""In which state a run is, which state may follow, and what may be asked of it: the one table of both."""

from __future__ import annotations

import enum
from collections.abc import Mapping

__all__ = ["ACTIVE", "ALLOWED", "BEGINNING", "ENDED", "NEXT", "Action", "RunState"]


class RunState(enum.StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    """It waits for its turn, or for runs that it needs."""
    RUNNING = "running"
    """A process works on it."""
    STOPPING = "stopping"
    """It was asked to stop, and saves a checkpoint before it does."""
    STOPPED = "stopped"
    """It stopped when it was asked to, or is held back; it goes on from there."""
    COMPLETED = "completed"
    FAILED = "failed"
    """It ended with an error; what it had saved is kept."""
    INTERRUPTED = "interrupted"
    """Its process died without a word: killed, or the machine went down; it goes on from its last state."""
    CANCELLED = "cancelled"
    """It will not run."""


_S = RunState

NEXT: Mapping[RunState, frozenset[RunState]] = {
    _S.PENDING: frozenset({_S.RUNNING, _S.STOPPED, _S.CANCELLED, _S.FAILED, _S.INTERRUPTED}),
    _S.RUNNING: frozenset({_S.STOPPING, _S.STOPPED, _S.COMPLETED, _S.FAILED, _S.INTERRUPTED}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.COMPLETED, _S.FAILED, _S.INTERRUPTED}),
    _S.STOPPED: frozenset({_S.PENDING, _S.CANCELLED}),
    _S.INTERRUPTED: frozenset({_S.PENDING, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.PENDING}),
    _S.COMPLETED: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""Which states may follow each. One that was pending fails, or is interrupted, where its process could not begin."""

ACTIVE = frozenset({_S.RUNNING, _S.STOPPING})
"""A process works on it, or did when somebody last looked."""

ENDED = frozenset(_S) - ACTIVE - {_S.PENDING}
"""Nothing happens by itself any more."""


class Action(enum.StrEnum):
    """What a person, or a script, asks of a run."""

    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    EXTEND = "extend"
    SAVE = "save"
    DELETE = "delete"


BEGINNING = frozenset({Action.RESUME, Action.RETRY, Action.EXTEND})
"""After these there is something to work on."""


ALLOWED: Mapping[Action, frozenset[RunState]] = {
    Action.STOP: frozenset({_S.RUNNING}),
    Action.PAUSE: frozenset({_S.PENDING, _S.RUNNING}),
    Action.RESUME: frozenset({_S.STOPPED, _S.INTERRUPTED, _S.FAILED}),
    Action.CANCEL: frozenset({_S.PENDING, _S.STOPPED, _S.INTERRUPTED}),
    Action.RETRY: frozenset({_S.FAILED, _S.STOPPED, _S.INTERRUPTED, _S.CANCELLED}),
    Action.EXTEND: frozenset({_S.COMPLETED}),
    Action.SAVE: frozenset({_S.RUNNING}),
    Action.DELETE: ENDED,
}
"""In which states each may be asked."""
