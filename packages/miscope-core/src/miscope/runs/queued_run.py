"""A run as the queue has it: what was asked for, where it stands, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from platform import node
from typing import final

from miscope.request import Request
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_state import RunState
from miscope.train_request import TrainRequest

__all__ = ["Place", "QueuedRun", "Reached"]

_NO_LABELS = RunLabels()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the queue a run goes, and what it comes from."""

    priority: int = 0
    """Higher ones begin first; equal ones in the order in which they were asked for."""
    needs: tuple[int, ...] = ()
    """Runs that have to be completed before it begins."""
    retry_of: int | None = None
    """The run that it repeats."""
    attempt: int = 1
    """Counts the runs of one chain of retries."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a run is, as its own process said last."""

    done: int = 0
    """Steps of a training, jobs of an analysis."""
    total: int | None = None
    eta: float | None = None
    """Seconds to the end; None until that is measured in this attempt."""
    rate: float | None = None
    """Steps, or jobs, a second, measured in this attempt."""
    seconds: float = 0.0
    """It has worked, of a clock that nobody sets."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The last of each."""
    checkpoint: int | None = None
    """The last step saved."""
    ledger: str = ""
    """Name of the run in the ledger that it writes; "" before it writes one."""
    message: str = ""
    """The last thing worth a line."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRun:
    """A run, as it stood when it was read."""

    id: int
    request: Request
    what: str
    """The variant to train, or the variants to analyze in short."""
    state: RunState
    place: Place
    reached: Reached
    created: float
    """Seconds of the epoch, as are `started` and `ended`."""
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    """Of its process, while there is one."""
    born: float | None = None
    host: str | None = None
    turn: int = 0
    """How often a process began to work on it."""
    acknowledged: bool = False
    """Whether its process knows that it is to stop."""
    save: int = 0
    """How often somebody asked for a checkpoint now."""
    error: str = ""
    """Why it failed, was interrupted or stopped."""
    deleted: bool = False
    labels: RunLabels = _NO_LABELS

    @property
    def kind(self) -> str:
        """'train' or 'analyze'."""
        return self.request.kind

    @property
    def here(self) -> bool:
        """Whether its process is, or was, one of this machine."""
        return self.host == node()

    @property
    def group(self) -> str | None:
        """The study that it is a run of."""
        return self.request.group

    @property
    def unit(self) -> str:
        """What `reached` counts."""
        return "step" if isinstance(self.request, TrainRequest) else "job"

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1."""
        total = self.reached.total
        return None if total is None else min(self.reached.done / total, 1.0) if total else 1.0

    @property
    def percent(self) -> int | None:
        """The same in whole percent, never more than is done: 100 once all is."""
        total = self.reached.total
        return None if total is None else min(100 * self.reached.done // total, 100) if total else 100

    @property
    def eta(self) -> float | None:
        """Seconds to the end of one that is under way; None while nobody knows."""
        return self.reached.eta if self.state is RunState.RUNNING else None

    def has_words(self, words: str) -> bool:
        """Whether they stand in what it is of, in its study's name, its name, notes or a tag, whatever their case."""
        labels = self.labels
        texts = (self.what, self.group or "", labels.name, labels.notes, *labels.tags)
        return any(words.casefold() in text.casefold() for text in texts)

    def facts(self) -> dict[str, object]:
        """Everything, as JSON has it."""
        place, reached = asdict(self.place), asdict(self.reached)
        return {
            "id": self.id,
            "kind": self.kind,
            "what": self.what,
            "group": self.group,
            **asdict(self.labels),
            "state": self.state.value,
            **place,
            **reached,
            "eta": self.eta,
            "unit": self.unit,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "host": self.host,
            "pid": self.pid,
            "error": self.error,
            "deleted": self.deleted,
            "request": self.request.model_dump(mode="json"),
        }
