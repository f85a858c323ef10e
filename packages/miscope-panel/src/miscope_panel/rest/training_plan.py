"""What a training that is asked for would be: its variant, every setting, and what it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from miscope.failure import Failure
from miscope.jsonable import jsonable
from miscope.runs.submitting import duplicate_of
from miscope.store.trained_with import trained_with
from miscope.training.bounded_estimate import estimates
from miscope.validation import checked_variant
from miscope_panel.rest.training_answers import TrainingPlan

if TYPE_CHECKING:
    from miscope.runs.queued_run import Place
    from miscope.train_request import TrainRequest
    from miscope_panel.rest.queue_access import QueueAccess

__all__ = ["done_before", "estimated", "planned"]

_MOST = 10**6
"""Steps of a training that is estimated, whose checkpoints are counted one by one."""


def planned(access: QueueAccess, request: TrainRequest, what: str, place: Place) -> TrainingPlan:
    """The plan of a request that was checked, which would be called so and stand at that place, but no estimate."""
    workspace = access.workspace
    family = workspace.plugins.family(request.family)
    variant = checked_variant(family, request.params, request.training).labelled(request.label)
    assert variant.training is not None, "such a request was refused"
    steps = workspace.store.steps(what)
    goal = variant.training.steps if request.steps is None else request.steps
    facts: dict[str, Any] = {
        "what": what,
        "params": jsonable(variant.params.model_dump(mode="json")),
        "training": jsonable(variant.training.model_dump(mode="json")),
        "steps": goal,
        "needs": place.needs,
        "duplicate_of": duplicate_of(access.queue, request, what, goal),
        "checkpoints": len(steps),
        "last_step": steps[-1] if steps else None,
        "trained_with": {},
        "estimate": None,
        "problem": None,
    }
    if steps and steps[-1] >= goal:
        facts["trained_with"] = jsonable(trained_with(workspace.store, variant))
    return TrainingPlan.model_validate(facts)


def estimated(access: QueueAccess, request: TrainRequest, plan: TrainingPlan) -> TrainingPlan:
    """The plan of that request with what it will take, where its sources are there and its steps can be counted."""
    workspace = access.workspace
    family = workspace.plugins.family(request.family)
    sources = family.sources(family.params.model_validate(dict(request.params)))
    here = all(workspace.store.layout.record(source.variant).exists() for source in sources)
    if not here or plan.steps > _MOST:
        return plan
    with access.estimating.turn() as bounds:
        (known,) = estimates(workspace, [request], bounds)
    told = {"problem": known.error} if isinstance(known, Failure) else {"estimate": known.facts()}
    return TrainingPlan.model_validate({**plan.model_dump(), **told})


def done_before(access: QueueAccess, request: TrainRequest, what: str) -> int | None:
    """The completed run that did the same; what: the variant that a request which was checked would train."""
    family = access.workspace.plugins.family(request.family)
    training = checked_variant(family, request.params, request.training).training
    assert training is not None, "such a request was refused"
    steps = training.steps if request.steps is None else request.steps
    return duplicate_of(access.queue, request, what, steps)
