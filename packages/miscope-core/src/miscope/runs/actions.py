"""What is asked of runs: stop, pause, resume, cancel, retry, extend, save, delete - of one run or of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import final

from miscope.commands import in_workspace
from miscope.errors import BadValue, MiscopeError
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.reconciling import ending_in_ledger
from miscope.runs.run_errors import StillNeeded, WrongState
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ACTIVE, Action, RunState
from miscope.store.ledger import Ledger
from miscope.train_options import check_steps
from miscope.train_request import TrainRequest

__all__ = [
    "Done",
    "ask",
    "cancel",
    "delete",
    "each",
    "extend",
    "interrupt",
    "pause",
    "restore",
    "resume",
    "retry",
    "save",
    "stop",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one run of several of which something was asked."""

    number: int
    run: QueuedRun | None = None
    """As it stands now, or the new one that was made; None where it was refused."""
    refused: str = ""


def each(numbers: Iterable[int], action: Callable[[int], QueuedRun]) -> list[Done]:
    """The same asked of each; one that is refused keeps none of the others back."""
    done = []
    for number in numbers:
        try:
            done.append(Done(number=number, run=action(number)))
        except MiscopeError as error:
            done.append(Done(number=number, refused=str(error)))
    return done


def ask(queue: RunQueue, action: Action, number: int) -> QueuedRun:
    """Ask one of those that need nothing but the run; the run as it stands then, or the new one."""
    return {
        Action.STOP: stop,
        Action.PAUSE: pause,
        Action.RESUME: resume,
        Action.CANCEL: cancel,
        Action.RETRY: retry,
        Action.SAVE: save,
        Action.DELETE: delete,
    }[action](queue, number)


def stop(queue: RunQueue, number: int) -> QueuedRun:
    """Have it save a checkpoint and end; one that is stopping already stays so."""
    if queue.run(number).state is RunState.STOPPING:
        return queue.run(number)
    queue.permitted(number, Action.STOP)
    return _moved(queue, number, Action.STOP, RunState.STOPPING, "It was asked to stop.")


def pause(queue: RunQueue, number: int) -> QueuedRun:
    """As `stop`; one that has not begun is held back until it is resumed."""
    if queue.permitted(number, Action.PAUSE).state is RunState.PENDING:
        return _moved(queue, number, Action.PAUSE, RunState.STOPPED, "It is held back.")
    return stop(queue, number)


def resume(queue: RunQueue, number: int) -> QueuedRun:
    """Put it back into the queue, to go on from its last state."""
    run = queue.permitted(number, Action.RESUME)
    if isinstance(run.request, TrainRequest) and not run.request.resume:
        raise BadValue(
            f"Run {number} would begin again at step 0.",
            "It was asked for with resume=False, and what it has done so far would be lost.",
            "Ask for the same training with resume=True.",
        )
    return _moved(queue, number, Action.RESUME, RunState.PENDING, "")


def cancel(queue: RunQueue, number: int) -> QueuedRun:
    """Have it never run, or not any further."""
    queue.permitted(number, Action.CANCEL)
    return _moved(queue, number, Action.CANCEL, RunState.CANCELLED, "It was cancelled.")


def retry(queue: RunQueue, number: int) -> QueuedRun:
    """Ask for the same anew, as a run of its own that says which it repeats; what waited for the one waits for that."""
    run = queue.permitted(number, Action.RETRY)
    place = Place(priority=run.place.priority, needs=run.place.needs, retry_of=number, attempt=run.place.attempt + 1)
    again = queue.submit(run.request, what=run.what, place=place)
    queue.wait_for_another(number, again.id)
    return again


def extend(queue: RunQueue, number: int, steps: int) -> QueuedRun:
    """Ask for the training of the same variant to that many steps in all."""
    check_steps(steps)
    run = queue.permitted(number, Action.EXTEND)
    if not isinstance(run.request, TrainRequest):
        raise BadValue(
            f"Run {number} cannot be extended.", "It is an analysis; only a training has steps.", "Ask for another."
        )
    if run.reached.total is not None and steps <= run.reached.total:
        raise BadValue(
            f"Run {number} cannot be extended to step {steps}.",
            f"It was trained to step {run.reached.total}.",
            "Give a later step.",
        )
    request = run.request.model_copy(update={"steps": steps, "resume": True, "warm": False})
    return queue.submit(request, what=run.what, place=replace(Place(), priority=run.place.priority))


def save(queue: RunQueue, number: int) -> QueuedRun:
    """Have a training keep a checkpoint of the step that it is at."""
    run = queue.permitted(number, Action.SAVE)
    if not isinstance(run.request, TrainRequest):
        raise BadValue(f"Run {number} saves no checkpoint.", "It is an analysis, and saves whatever it computed.", "")
    queue.ask_save(number)
    return queue.run(number)


def delete(queue: RunQueue, number: int) -> QueuedRun:
    """Take it out of the list; `restore` puts it back. Refuses one that others wait for, naming them.

    The variant and its artifacts stay.
    """
    queue.permitted(number, Action.DELETE)
    waiting = queue.needed_by(number)
    if waiting:
        raise StillNeeded(number, waiting)
    queue.hide(number, deleted=True)
    return queue.run(number)


def restore(queue: RunQueue, number: int) -> QueuedRun:
    """Put a deleted run back into the list."""
    queue.hide(queue.run(number).id, deleted=False)
    return queue.run(number)


def interrupt(queue: RunQueue, ledger: Ledger, number: int) -> QueuedRun:
    """Give a run of another machine, whose process nobody here can see, the state that it has once that is gone.

    Raises BadValue for a run of this machine, of which that is seen.
    """
    run = queue.run(number)
    if run.state not in ACTIVE or run.here:
        raise BadValue(
            f"Run {number} is not interrupted by a word.",
            "No process works on it." if run.state not in ACTIVE else "Its process is one of this machine.",
            f"To have it end:  {in_workspace(queue.layout.root, f'miscope runs stop {number}')}"
            * (run.state in ACTIVE),
        )
    state, error = ending_in_ledger(ledger, run, f"Its process on {run.host} is gone, as somebody said.")
    return queue.move(number, state, error, within=ACTIVE)


def _moved(queue: RunQueue, number: int, action: Action, state: RunState, reason: str) -> QueuedRun:
    """The run in its next state; where it left the state it was seen in meanwhile, what that does not allow."""
    try:
        return queue.move(number, state, reason)
    except WrongState:
        queue.permitted(number, action)
        raise
