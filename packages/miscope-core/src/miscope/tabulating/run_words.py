"""What the queue says of the runs that trained a variant: where the last stands, its tags and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import final

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ACTIVE, ENDED
from miscope.train_request import TrainRequest

__all__ = ["RunWords", "run_words", "words_of"]


@final
@dataclass(frozen=True, kw_only=True)
class RunWords:
    """Of one variant."""

    state: str
    """As `RunState` has it."""
    ended: float | None = None
    """Seconds of the epoch; None while something may still happen by itself."""
    tags: tuple[str, ...] = ()
    notes: str = ""
    share: float | None = None
    """How much of it is done, from 0 to 1, while a process works on it."""


def run_words(root: Path) -> Mapping[str, RunWords]:
    """By the variants' names, of the queue of that workspace; {} where nothing was ever queued."""
    with closing(RunQueue(root)) as queue:
        return words_of(queue.runs())


def words_of(runs: Iterable[QueuedRun]) -> dict[str, RunWords]:
    """The state of the run that was asked for last; tags and notes of all of them."""
    found: dict[str, RunWords] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if not isinstance(run.request, TrainRequest):
            continue
        before = found.get(run.what, RunWords(state=""))
        found[run.what] = RunWords(
            state=run.state.value,
            ended=run.ended if run.state in ENDED else None,
            tags=tuple(dict.fromkeys((*before.tags, *run.labels.tags))),
            share=run.share if run.state in ACTIVE else None,
            notes="\n".join(dict.fromkeys(note for note in (before.notes, run.labels.notes) if note)),
        )
    return found
