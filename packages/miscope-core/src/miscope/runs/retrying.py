"""A run that is asked for once more, as it was or begun again, or with another seed."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.runs import actions
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_state import Action
from miscope.runs.submitting import arranged
from miscope.train_request import TrainRequest
from miscope.validation import checked_variant

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue
    from miscope.workspace import Workspace

__all__ = ["RetryMode", "resume_at", "retry_as", "retry_mode"]


class RetryMode(enum.StrEnum):
    """Where a training begins that is asked for once more."""

    FROM_LAST_CHECKPOINT = "from_last_checkpoint"
    """It goes on from the last state that it saved."""
    FROM_SCRATCH = "from_scratch"
    """It begins again at step 0, and writes its checkpoints anew."""


def retry_mode(given: str | None) -> RetryMode | None:
    """The mode of that name; BadValue for another."""
    try:
        return None if given is None else RetryMode(given)
    except ValueError:
        known = ", ".join(repr(each.value) for each in RetryMode)
        raise BadValue(
            f"A training cannot be retried {given!r}.", f"It is {known}.", "Leave `mode` out for the same again."
        ) from None


def retry_as(
    workspace: Workspace, queue: RunQueue, number: int, *, mode: RetryMode | None = None, seed: int | None = None
) -> QueuedRun:
    """Ask for the run anew, as `actions.retry`; a training from that point, or with that seed in place of its own.

    With another seed it is another variant, which begins at step 0, and what waited for the run waits on. Raises
    BadValue for an analysis, which has neither, and where the family has no parameter `seed`.
    """
    if mode is None and seed is None:
        return actions.retry(queue, number)
    run = queue.permitted(number, Action.RETRY)
    request = _changed(workspace, run, mode, seed)
    what, place = arranged(workspace, queue, request, Place(priority=run.place.priority, needs=run.place.needs))
    place = Place(priority=place.priority, needs=place.needs, retry_of=number, attempt=run.place.attempt + 1)
    again = queue.submit(request, what=what, place=place)
    if what == run.what:
        queue.wait_for_another(number, again.id)
    return again


def resume_at(workspace: Workspace, queue: RunQueue, number: int, step: int | None) -> QueuedRun:
    """Resume the run as `actions.resume`; BadValue unless the step is the last that its training saved, or None.

    From an earlier one the later checkpoints would be written anew, and what was computed of them would stay.
    """
    run = queue.permitted(number, Action.RESUME)
    if step is not None:
        steps = workspace.store.steps(run.what) if isinstance(run.request, TrainRequest) else []
        if not steps or step != steps[-1]:
            raise BadValue(
                f"Run {number} does not go on from step {step}.",
                f"It goes on from step {steps[-1]}, its last: checkpoints after an earlier one would be written anew, "
                "and what was computed of them would stay."
                if steps
                else "It has saved none.",
                "Resume it without a step, or retry it from_scratch.",
                field="step",
            )
    return actions.resume(queue, number)


def _changed(workspace: Workspace, run: QueuedRun, mode: RetryMode | None, seed: int | None) -> TrainRequest:
    if not isinstance(run.request, TrainRequest):
        raise BadValue(
            f"Run {run.id} is an analysis.",
            "Only a training begins somewhere, and has a seed.",
            "Retry it without a mode and without a seed.",
            field="mode" if mode is not None else "seed",
        )
    request = run.request
    if mode is not None:
        request = request.model_copy(update={"resume": mode is RetryMode.FROM_LAST_CHECKPOINT, "warm": False})
    if seed is None:
        return request
    names = list(workspace.plugins.family(request.family).params.model_fields)
    if "seed" not in names:
        raise BadValue(
            f"{request.family} has no parameter 'seed'.",
            f"It takes: {', '.join(names)}.",
            "Ask for a training with other parameters.",
            field="seed",
        )
    params = {**request.params, "seed": seed}
    checked_variant(workspace.plugins.family(request.family), params)
    return request.model_copy(update={"params": params})
