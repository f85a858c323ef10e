"""What was answered to requests that have a key of their own, for a day: a file of each, beside the runs."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import final

from miscope.store.atomic import explaining, write_whole
from miscope.store.process_identity import is_alive, this_process

__all__ = ["Answer", "Claim", "KeptAnswers"]

_KEPT = 86400.0
"""Seconds."""

_SWEEP_EVERY = 3600.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """As it was sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@final
class Claim(Enum):
    """How it stands with a key that has no answer."""

    OURS = "ours"
    """Nobody used it before: the request is to be done now."""
    ANOTHERS = "another's"
    """It was used for another request."""
    UNDER_WAY = "under way"
    """Somebody is at work on the same request."""
    CUT_OFF = "cut off"
    """Whoever was at work on it failed, or is gone."""


@final
class KeptAnswers:
    """Of one workspace; safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._turn, self._swept = folder, threading.Lock(), 0.0
        self._under_way: set[str] = set()

    def claim(self, key: str, request: str) -> Answer | Claim:
        """The answer to that request, if it was given; else how it stands. request: a digest of all that makes it.

        Raises CannotWrite where the system refuses.
        """
        path = self._path(key)
        with self._turn:
            self._sweep()
            if _is_old(path):
                path.unlink(missing_ok=True)
            claimed = {"request": request, "process": asdict(this_process())}
            try:
                write_whole(path, lambda file: file.write(json.dumps(claimed).encode()), over=False)
            except FileExistsError:
                return self._seen(key, request, path)
            self._under_way.add(key)
            return Claim.OURS

    def keep(self, key: str, request: str, answer: Answer) -> None:
        """Have this be the answer."""
        facts = {"request": request, "answer": asdict(answer)}
        write_whole(self._path(key), lambda file: file.write(json.dumps(facts).encode()))

    def forget(self, key: str) -> None:
        """Nothing was done: the key is free."""
        with explaining(self._path(key)):
            self._path(key).unlink(missing_ok=True)

    def leave(self, key: str) -> None:
        """Nobody is at work on it any more, whatever became of it."""
        self._under_way.discard(key)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    def _seen(self, key: str, request: str, path: Path) -> Answer | Claim:
        found = self._look(key, request, path)
        # It may have been answered between the look at its file and that at who works on it.
        return self._look(key, request, path) if found is Claim.CUT_OFF else found

    def _look(self, key: str, request: str, path: Path) -> Answer | Claim:
        try:
            facts = json.loads(path.read_bytes())
        except FileNotFoundError:  # it was forgotten this moment, and is free at the next look
            return Claim.UNDER_WAY
        except ValueError:
            return Claim.CUT_OFF
        if not isinstance(facts, dict) or not {"answer", "process"} & facts.keys():
            return Claim.CUT_OFF
        if facts.get("request") != request:
            return Claim.ANOTHERS
        if "answer" in facts:
            headers = tuple((name, value) for name, value in facts["answer"]["headers"])
            return Answer(**{**facts["answer"], "headers": headers})
        process = facts["process"]
        ours = process == asdict(this_process())
        works = key in self._under_way if ours else is_alive(process["host"], process["pid"], process["born"])
        return Claim.UNDER_WAY if works else Claim.CUT_OFF

    def _sweep(self) -> None:
        """Once an hour, forget what is too old."""
        if time.monotonic() - self._swept < _SWEEP_EVERY and self._swept:
            return
        self._swept = time.monotonic()
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            if _is_old(path):
                with suppress(OSError):
                    path.unlink()


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _KEPT
    except OSError:
        return False
