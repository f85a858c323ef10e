"""How many runs go at once, and what of the machine each may use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import final

from miscope.runs.queued_run import QueuedRun
from miscope.train_request import TrainRequest

__all__ = ["Slots", "graphics_cards"]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What there is to share among runs."""

    at_once: int
    """Runs that work at the same time."""
    threads: int = 1
    """Of the CPU, for each."""
    cards: tuple[str, ...] = ()
    """Graphics cards, as CUDA_VISIBLE_DEVICES names them; each is one run's at a time."""

    @classmethod
    def of(cls, *, at_once: int | None, threads: int, cards: tuple[str, ...]) -> Slots:
        """at_once: None for as many as the cores have threads for."""
        return cls(at_once=at_once or max(1, _cores() // threads), threads=threads, cards=cards)

    def card_for(self, run: QueuedRun, taken: Collection[str]) -> str | None:
        """The card that the run gets: '' where it needs none, None where it has to wait for one."""
        if not self.cards or not _computes_on_a_card(run):
            return ""
        wanted = self.named_card(run)
        return next((card for card in ((wanted,) if wanted else self.cards) if card not in taken), None)

    def named_card(self, run: QueuedRun) -> str | None:
        """The one that the run asks for by its place among them, as cuda:1 does; None where any will do."""
        place = run.request.device.partition(":")[2] if _computes_on_a_card(run) else ""  # pyright: ignore[reportAttributeAccessIssue]
        return self.cards[int(place)] if place.isdigit() and int(place) < len(self.cards) else None

    def environment(self, run: QueuedRun, card: str) -> Mapping[str, str]:
        """Of the run's process, beside what the supervisor has."""
        threads = (run.request.threads if isinstance(run.request, TrainRequest) else None) or self.threads
        # A run that names one by its place finds it there only among all.
        seen = ",".join(self.cards) if self.named_card(run) else card
        shown = {"CUDA_VISIBLE_DEVICES": seen} if self.cards else {}
        return {**dict.fromkeys(_THREADS, str(threads)), **shown, "PYTHONUNBUFFERED": "1"}


def _cores() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _computes_on_a_card(run: QueuedRun) -> bool:
    return isinstance(run.request, TrainRequest) and run.request.device.partition(":")[0] in ("auto", "cuda")


def graphics_cards() -> tuple[str, ...]:
    """The numbers of NVIDIA's cards that this process may use; () where there are none. Asks without PyTorch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(word.strip() for word in chosen.split(",") if word.strip() not in ("", "-1"))
    if shutil.which("nvidia-smi") is None:
        return ()
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.strip() for line in listed.stdout.splitlines() if line.strip().isdigit())
