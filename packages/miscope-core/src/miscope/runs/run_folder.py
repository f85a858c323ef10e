"""What lies of a run beside the queue, from which the queue is made anew: what was asked for, and how it ended."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from miscope.errors import BadValue
from miscope.request import Request, read_request
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_state import RunState
from miscope.store.atomic import write_whole
from miscope.store.layout import Layout
from miscope.store.process_identity import ProcessIdentity

__all__ = ["Asked", "RunFolder"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run as it was asked for."""

    request: Request
    what: str
    place: Place
    created: float
    labels: RunLabels


@final
@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    layout: Layout
    number: int

    @property
    def path(self) -> Path:
        return self.layout.run(self.number)

    @property
    def log(self) -> Path:
        """What the run's process printed."""
        return self.path / "log.txt"

    def write_asked(self, run: QueuedRun) -> None:
        """Keep what was asked for."""
        facts = {
            "request": run.request.model_dump(mode="json"),
            "what": run.what,
            "place": asdict(run.place),
            "created": run.created,
            "labels": asdict(run.labels),
        }
        self._write("run.json", facts)

    def write_process(self, process: ProcessIdentity, turn: int) -> None:
        """Keep which process works on it, how many did, and which graphics cards this one sees."""
        card = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        self._write("process.json", {**asdict(process), "turn": turn, "card": card})

    @property
    def card(self) -> str:
        """The graphics cards that the process sees which works on it."""
        try:
            return str(json.loads((self.path / "process.json").read_bytes())["card"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def process(self) -> tuple[ProcessIdentity, int] | None:
        """The last that worked on it, and how many did; None where none has since it was put into the queue."""
        try:
            facts = json.loads((self.path / "process.json").read_bytes())
            process = ProcessIdentity(str(facts["host"]), int(facts["pid"]), float(facts["born"]))
            return process, int(facts["turn"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_ended(self, state: RunState | None, error: str) -> None:
        """Keep how it ended; None where it is to go on."""
        if state is None:
            for name in ("ended.json", "process.json"):
                (self.path / name).unlink(missing_ok=True)
        else:
            self._write("ended.json", {"state": state.value, "error": error})

    def write_deleted(self, deleted: bool) -> None:
        """Keep that nobody wants to see it any more, or that somebody does again."""
        mark = self.path / "deleted"
        if deleted:
            write_whole(mark, lambda file: None)
        else:
            mark.unlink(missing_ok=True)

    @property
    def deleted(self) -> bool:
        return (self.path / "deleted").exists()

    def asked(self) -> Asked | None:
        """What was asked for; None where that cannot be read."""
        try:
            facts = json.loads((self.path / "run.json").read_bytes())
            place = {**facts["place"], "needs": tuple(facts["place"]["needs"])}
            labels = facts.get("labels", {})
            return Asked(
                request=read_request(facts["request"]),
                what=str(facts["what"]),
                place=Place(**place),
                created=float(facts["created"]),
                labels=RunLabels(**{**labels, "tags": tuple(labels.get("tags", ()))}),
            )
        except (OSError, ValueError, KeyError, TypeError, BadValue):
            return None

    def ended(self) -> tuple[RunState, str, float] | None:
        """How it ended, why, and when; None where it did not, or that cannot be read."""
        path = self.path / "ended.json"
        try:
            facts = json.loads(path.read_bytes())
            return RunState(facts["state"]), str(facts["error"]), path.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def tail(self, lines: int, end: int | None = None) -> list[str]:
        """The last lines that its process printed, at most 64 KiB of them; end: bytes of the log that count, all."""
        try:
            with self.log.open("rb") as file:
                end = file.seek(0, 2) if end is None else end
                start = file.seek(max(0, end - 65536))
                text = file.read(end - start).decode(errors="replace")
        except OSError:
            return []
        # A progress bar overwrites its line; of such a line the last state counts.
        return [line.rpartition("\r")[2] for line in text.rstrip("\n").split("\n")][-lines:] if text else []

    def _write(self, name: str, facts: object) -> None:
        content = json.dumps(facts, indent=1).encode()
        write_whole(self.path / name, lambda file: file.write(content))
