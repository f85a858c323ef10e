"""What became of runs whose process is gone: read from the ledger, where each wrote what it had done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import CannotWrite
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_errors import WrongState
from miscope.runs.run_state import ACTIVE, RunState
from miscope.store.ledger import ENDINGS, parse
from miscope.store.process_identity import ProcessIdentity, is_alive
from miscope.store.variant_lock import lock_holder
from miscope.train_request import TrainRequest

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue
    from miscope.store.ledger import Ledger

__all__ = ["Turn", "ending_in_ledger", "first_step", "reconcile", "reconcile_unattended", "turns_in_ledger"]

_GONE = "Its process is gone."


def reconcile(
    queue: RunQueue, ledger: Ledger, *, ours: Collection[int], but: Collection[int] = (), how: str = _GONE
) -> Iterator[str]:
    """Give each run that no process works on the state that it is really in; a line for each.

    ours: only these, whose processes ended as `how` says; () for all whose process is gone, but for those of `but`.
    """
    for run in queue.runs(ACTIVE):
        if (ours and run.id not in ours) or run.id in but:
            continue
        if not ours and is_alive(run.host, run.pid, run.born):
            continue
        state, error = ending_in_ledger(ledger, run, how)
        try:
            moved = queue.move(run.id, state, error, within=ACTIVE)
        except WrongState:  # it wrote it itself in the meantime
            moved = queue.run(run.id)
        yield f"run {moved.id} {moved.state}: {moved.kind} {moved.what}" + f": {moved.error}" * bool(moved.error)


def reconcile_unattended(queue: RunQueue, ledger: Ledger) -> None:
    """The same of all runs where no supervisor does it; what cannot be written stays as it is."""
    if lock_holder(queue.layout.supervisor):
        return
    with suppress(CannotWrite):
        for _ in reconcile(queue, ledger, ours=()):
            pass


def ending_in_ledger(ledger: Ledger, run: QueuedRun, how: str) -> tuple[RunState, str]:
    """How the run ended by what it wrote there, and why; interrupted where it did not write that it ended."""
    turns = turns_in_ledger(ledger, run.id)
    latest = [turn for turn in turns if turn.turn == run.turn]
    where = "" if run.reached.checkpoint is None else f" Its last checkpoint is at step {run.reached.checkpoint:,}."
    interrupted = RunState.INTERRUPTED, f"{how}{where} It can be resumed."
    if isinstance(run.request, TrainRequest):
        last = latest[-1].end if latest else ""
        if last == "failed":
            return RunState.FAILED, latest[-1].error
        return (RunState(last), "" if last == "completed" else "It was stopped.") if last else interrupted
    # What an earlier turn completed has no log of this one, since nothing was left to do.
    whole = {turn.variant for turn in turns if turn.end == "completed"}
    if not whole >= set(run.request.variants):
        return interrupted
    failed = [turn.error for turn in latest if turn.error]
    return (RunState.FAILED, failed[0]) if failed else (RunState.COMPLETED, "")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One log that a process wrote while it worked on a run."""

    turn: int
    """Which of the run's processes it was, from 1."""
    process: ProcessIdentity
    variant: str
    end: str
    """'completed', 'failed' or 'stopped'; "" where it does not say that it ended."""
    error: str
    """Of the run, or of the first instrument that failed."""


def turns_in_ledger(ledger: Ledger, number: int) -> list[Turn]:
    """What the processes of the run of that number wrote, oldest first."""
    return sorted(_written_by(ledger, number), key=lambda turn: turn.turn)


def first_step(ledger: Ledger, run: QueuedRun) -> int | None:
    """The step at which the first process of a training began; None where none wrote that."""
    alone = run.turn == 1 and run.reached.ledger
    for name in [run.reached.ledger] if alone else ledger.runs():
        first = _first_line(ledger, name)
        if first.get("queued") == run.id and isinstance(start := first.get("start"), int):
            return start
    return None


def _first_line(ledger: Ledger, name: str) -> Mapping[str, object]:
    """Empty where there is none."""
    try:
        with (ledger.folder / f"{name}.jsonl").open("rb") as file:
            return next(parse(file.readline()), {})
    except FileNotFoundError:
        return {}


def _written_by(ledger: Ledger, number: int) -> Iterator[Turn]:
    for name in ledger.runs():
        if _first_line(ledger, name).get("queued") == number:
            yield _turn_of(list(parse((ledger.folder / f"{name}.jsonl").read_bytes())))


def _turn_of(lines: Sequence[Mapping[str, Any]]) -> Turn:
    first = lines[0]
    errors = [str(line.get("error")) for line in lines if line.get("event") in ("failed", "failure")]
    return Turn(
        turn=int(first.get("turn", 1)),
        process=ProcessIdentity(str(first["host"]), int(first["pid"]), float(first["born"])),
        variant=str(first["variant"]),
        end=next((ENDINGS[str(line["event"])] for line in lines if line.get("event") in ENDINGS), ""),
        error=errors[0] if errors else "",
    )
