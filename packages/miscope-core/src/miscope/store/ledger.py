"""What happened to the data of a workspace: one append-only file of JSON lines per run, written by that run alone."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import BinaryIO, final

from miscope.errors import CannotWrite, UnknownName
from miscope.jsonable import jsonable
from miscope.store.atomic import explaining, make_folder
from miscope.store.process_identity import this_process
from miscope.variant import check_name

__all__ = ["ENDINGS", "Ledger", "RunLog", "parse"]

ENDINGS: Mapping[str, str] = {"finished": "completed", "failed": "failed", "stopped": "stopped"}
"""The event that ends a run, and the state the run is then in."""

_SYNC_EVERY = 1.0
"""Seconds within which a line reaches the disk. The system has it at once, so a killed process loses none."""


@final
class Ledger:
    """The folder of all runs' files."""

    def __init__(self, folder: Path, **facts: object) -> None:
        """facts: of whoever writes here, said in the first line of each of its runs."""
        self.folder = Path(folder)
        self._facts = facts

    def run(self, kind: str, variant: str, **facts: object) -> RunLog:
        """A new run's log, to be used in a `with`: started, then finished, failed or stopped."""
        now = datetime.now(UTC)
        name = check_name(f"{now:%Y%m%dT%H%M%S}{now.microsecond:06d}-{kind}-{secrets.token_hex(3)}")
        return RunLog(self.folder, name, {"kind": kind, "variant": variant, **self._facts, **facts})

    def signed(self, **facts: object) -> Ledger:
        """The same, with more facts in the first line of each run that is written through it."""
        return Ledger(self.folder, **{**self._facts, **facts})

    def runs(self) -> list[str]:
        """Names of all runs, oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl"))

    def lines(self, run: str | None = None) -> Iterator[Mapping[str, object]]:
        """Every line, run by run from the oldest, or one run's; what was torn off by a kill is skipped."""
        for name in self.runs() if run is None else [self._checked(run)]:
            yield from parse((self.folder / f"{name}.jsonl").read_bytes())

    def request_stop(self, run: str) -> None:
        """Ask a run to end at its next step boundary."""
        (self.folder / f"{self._checked(run)}.stop").touch()

    def _checked(self, run: str) -> str:
        if run in (runs := self.runs()):
            return run
        raise UnknownName("run", run, runs, listing='`miscope ask "FROM runs"` lists them.')


def parse(content: bytes) -> Iterator[Mapping[str, object]]:
    """The lines that are whole."""
    for line in content.splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict):
            yield fields


@final
class RunLog:
    """One run's file, and the only writer of it."""

    def __init__(self, folder: Path, name: str, facts: Mapping[str, object]) -> None:
        self.name = name
        self._folder, self._facts = folder, dict(facts)
        self._path = folder / f"{name}.jsonl"
        self._file: BinaryIO | None = None
        self._synced = 0.0
        self._ended = False

    def __enter__(self) -> RunLog:
        make_folder(self._folder)
        with explaining(self._path):
            self._file = self._path.open("xb", buffering=0)
        self.write("started", **self._facts, **_process())
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._end(error)
        except CannotWrite:
            if error is None:  # else that is what there is to say
                raise
        finally:
            if self._file is not None:
                self._file.close()
                self._file = None
            (self._folder / f"{self.name}.stop").unlink(missing_ok=True)

    def _end(self, error: BaseException | None) -> None:
        if not self._ended:
            if error is None:
                self.write("finished")
            elif isinstance(error, KeyboardInterrupt | GeneratorExit):
                self.write("stopped", reason=type(error).__name__)
            else:
                self.write("failed", error=str(error) or type(error).__name__, type=type(error).__name__)

    def write(self, event: str, **facts: object) -> None:
        """Append a line; write it when the file it speaks of exists, since a reader takes the line for the fact.

        'checkpoint' says step; 'artifact' says analyzer, recipe, probe, step and scalars; 'best' says which checkpoint
        of a training is its best so far: step, metric and value. 'finished', 'failed' and 'stopped' end the run.
        """
        assert self._file is not None, "a run's log is written inside its `with`"
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        common = {"run": self.name, "time": now, "event": event, "variant": self._facts["variant"]}
        line = json.dumps(jsonable({**common, **facts}), allow_nan=False, default=str)
        with explaining(self._path):
            self._file.write(line.encode() + b"\n")
        self._ended = self._ended or event in ENDINGS
        if self._ended or event == "started" or time.monotonic() - self._synced > _SYNC_EVERY:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def stop_requested(self) -> bool:
        """Whether somebody asked this run to end."""
        return (self._folder / f"{self.name}.stop").exists()


def _process() -> dict[str, object]:
    return {**asdict(this_process()), "miscope": version("miscope-core"), "python": python_version()}
