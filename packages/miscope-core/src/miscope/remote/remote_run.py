"""A run of a server's queue as Python holds it; whatever is asked of it is asked of the server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from miscope.bound_html import told_table
from miscope.field_docs import documented
from miscope.remote.absent import HasAbsent
from miscope.remote.channel import RunEvent, heard, told
from miscope.remote.connection import Connection
from miscope.remote.series import one_metric, series

if TYPE_CHECKING:
    import numpy as np

    from miscope.runs.run_state import RunState
    from miscope.snapshot import Series

__all__ = ["RemoteRun", "remote_runs_table"]

_LOOK_EVERY = 0.5


@final
@documented
@dataclass(frozen=True, repr=False)
class RemoteRun(HasAbsent):
    """A run of a server's queue."""

    connection: Connection
    """To the server."""
    number: int
    """Of the run, as `miscope runs list` has it there."""

    absent: ClassVar = {
        "workspace": ("It is on the server's machine.", "What is asked of the server goes over `connection`."),
    }

    @property
    def value(self) -> Mapping[str, Any]:
        """The run as it stands now, in the words of `GET /api/v1/runs/ID`."""
        return self.connection.get(f"runs/{self.number}")

    @property
    def state(self) -> RunState:
        """'pending', 'running', 'completed', ..."""
        from miscope.runs.run_state import RunState

        return RunState(self.value["state"])

    @property
    def progress(self) -> float | None:
        """How much of it is done, from 0 to 1; None until its process has said it."""
        return _share(self.value)

    def log(self, lines: int = 50) -> str:
        """The last lines that its process printed."""
        return "\n".join(self.connection.get(f"runs/{self.number}/log", {"tail": lines})["lines"])

    def wait(self, seconds: float | None = None) -> RunState:
        """Wait until it has ended, or for so long; the state that it is in then."""
        from miscope.runs.run_state import ENDED

        patience = None if seconds is None else time.monotonic() + seconds
        while (state := self.state) not in ENDED and (patience is None or time.monotonic() < patience):
            time.sleep(_LOOK_EVERY)
        return state

    def events(self, since: int = 0) -> list[RunEvent]:
        """What happened to the training so far, after that `seq`."""
        return list(told(self.connection, self.number, since))

    def watch(self, since: int = 0) -> Iterator[RunEvent]:
        """What happens to the training as it happens, until it has ended; since: the last `seq` that one has.

        Where the connection is lost it goes on from where it was.
        """
        return heard(self.connection, self.number, since)

    def stop(self) -> RemoteRun:
        """Have it save a checkpoint and end."""
        return self._ask("stop")

    def pause(self) -> RemoteRun:
        """As `stop`; one that has not begun is held back until it is resumed."""
        return self._ask("pause")

    def resume(self, step: int | None = None) -> RemoteRun:
        """Put it back into the queue, to go on from its last state; step: the last that was saved, to be sure of it."""
        return self._ask("resume", step=step)

    def retry(self, *, mode: str | None = None, seed: int | None = None) -> RemoteRun:
        """Ask for the same anew; the new run.

        mode: 'from_last_checkpoint' or 'from_scratch'. seed: in place of its own, which makes another variant.
        """
        return self._ask("retry", mode=mode, seed=seed)

    def duplicate(self, **changes: Any) -> RemoteRun:
        """Ask for a training with the same settings, those changes apart (`steps`, `params`, ...); the new run."""
        return RemoteRun(self.connection, self.connection.post("trainings", {**self.config(), **changes})["id"])

    def prioritize(self, priority: int) -> RemoteRun:
        """Have it begin before others of a lower priority, or after those of a higher one."""
        self.connection.change(f"runs/{self.number}", {"priority": priority})
        return self

    def edit(
        self, *, name: str | None = None, notes: str | None = None, tags: Sequence[str] | None = None
    ) -> RemoteRun:
        """Have it called so, these be its notes or its tags; what is None stays."""
        given = {"name": name, "notes": notes, "tags": None if tags is None else list(tags)}
        changes = {field: value for field, value in given.items() if value is not None}
        self.connection.change(f"runs/{self.number}", changes)
        return self

    def cancel(self) -> RemoteRun:
        """Have it never run, or not any further."""
        return self._ask("cancel")

    def save(self) -> RemoteRun:
        """Have a training keep a checkpoint of the step that it is at."""
        self.connection.post(f"trainings/{self.number}/save")
        return self

    def extend(self, steps: int) -> RemoteRun:
        """Ask for the same training to that many steps in all; the new run."""
        told_of = self.connection.post(f"trainings/{self.number}/extend", {"steps": steps})
        return RemoteRun(self.connection, told_of["id"])

    def delete(self) -> RemoteRun:
        """Take it out of the list; the variant and its artifacts stay, and `restore` puts it back."""
        self.connection.delete(f"runs/{self.number}")
        return self

    def restore(self) -> RemoteRun:
        """Put it back into the list."""
        return self._ask("restore")

    def metrics(self, *patterns: str, **query: int) -> dict[str, Series]:
        """Metrics of the training that match any of the shell patterns; all without one.

        query: `start_step`, `end_step`, and `max_points`, of each at most so many, its extremes among them.
        """
        return series(self.connection, f"trainings/{self.number}/metrics", patterns, **query)

    def metric(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps (n,) int64 and values (n,) float64 of one metric."""
        return one_metric(self.metrics(), name, f"Run {self.number}")

    def checkpoints(self) -> list[Mapping[str, Any]]:
        """Checkpoints of the training: 'step', 'bytes', 'metrics', ..."""
        return self.connection.get(f"trainings/{self.number}/checkpoints")["checkpoints"]

    def prune(self, *, last: int = 1, spread: int = 0, dry_run: bool = True) -> Mapping[str, Any]:
        """Remove checkpoints but the first and the last ones, and so many spread over training; what went, or would.

        dry_run: only say which. What others are built on stays, and so do artifacts.
        """
        rule = {"last": last, "spread": spread, "dry_run": dry_run}
        return self.connection.post(f"trainings/{self.number}/checkpoints/prune", rule)

    def delete_checkpoint(self, step: int) -> Mapping[str, Any]:
        """Remove one checkpoint, unless it is the first or the last, or others are built on it."""
        return self.connection.delete(f"trainings/{self.number}/checkpoints/{step}")

    def config(self, format: str = "json") -> Any:
        """What was asked for: as the body that asks for the same, or as text ('cli': the command that does)."""
        return self.connection.get(f"trainings/{self.number}/config", {"format": format})

    def _ask(self, action: str, **how: Any) -> RemoteRun:
        body = {name: value for name, value in how.items() if value is not None}
        return RemoteRun(self.connection, self.connection.post(f"runs/{self.number}/{action}", body)["id"])

    def __repr__(self) -> str:
        run = self.value
        percent = _percent(run)
        done = "" if percent is None else f" {percent} %"
        reason = f": {run['error'].partition(chr(10))[0]}" if run["error"] else ""
        return f"<run {run['id']} {run['state']}{done}: {run['kind']} {run['what']}{reason}>"

    def _repr_html_(self) -> str:
        return remote_runs_table([self.value])


def remote_runs_table(runs: list[Mapping[str, Any]]) -> str:
    """A row for each run."""
    return told_table(
        (run["id"], run["state"], f"{run['kind']} {run['what']}", _percent(run), run["error"]) for run in runs
    )


def _share(run: Mapping[str, Any]) -> float | None:
    share = run["progress_pct"]
    return None if share is None else share / 100


def _percent(run: Mapping[str, Any]) -> int | None:
    """Whole percent, never more than is done."""
    done = run["progress_pct"]
    return None if done is None else int(done)
