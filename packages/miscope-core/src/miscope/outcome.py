"""What became of a job: the arrays were saved, or why they were not."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from miscope.artifact import ArtifactKey

__all__ = ["Outcome", "State", "left_out"]


class State(enum.StrEnum):
    """How a job ended."""

    SAVED = "saved"
    PRESENT = "present"
    """It was there already; nothing was computed."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """The instrument does not apply to this variant, or takes long and was not asked for by name."""
    NOT_TRIED = "not tried"
    """Something it reads failed."""


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of some analyzers at one step of one variant, or over the whole of its training."""

    variant: str
    analyzers: tuple[str, ...]
    """() for a step that no instrument looks at."""
    step: int | None
    """None: the whole of training, or every step at once for what is present or skipped."""
    state: State
    seconds: float = 0.0
    """Wall time of the job, reading and writing included; 0 where nothing was done."""
    error: str = ""
    """Why not, in sentences; "" for what was saved or present."""
    trace: str = ""
    """Python's traceback, where the failure was not one that miscope explains."""
    scalars: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The saved 0-d outputs by analyzer."""
    keys: Mapping[str, ArtifactKey] = field(default_factory=dict)
    """By analyzer, of what was saved."""
    run: str = ""
    """The run of the ledger that it is part of; "" where nothing was to be done for the variant, so that none began."""
    done: int = 0
    """Jobs finished so far in this call."""
    total: int = 0
    """Jobs that this call has; known from the first outcome on."""
    checkpoints: int = 0
    """Of `total`, those at one checkpoint each; the others span a training, or several."""


def left_out(variant: str, step: int, unfinite: str | None) -> Outcome:
    """Of a step that no instrument looks at; unfinite: which of its weights are no numbers."""
    error = f"at step {step}, {unfinite}, and no instrument looks at it"
    return Outcome(variant=variant, analyzers=(), step=step, state=State.SKIPPED, error=error)
