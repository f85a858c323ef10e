"""The body that asks for a training: the fields of a TrainRequest, its place in the queue, and what follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, create_model

from miscope.analysis.planning import resolve
from miscope.analyze_request import AnalyzeRequest
from miscope.field_docs import field_docs
from miscope.runs.queued_run import Place
from miscope.train_request import TrainRequest
from miscope.validation import about, checked_variant, refuse_unused
from miscope_panel.rest.queue_access import LARGEST

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue
    from miscope.workspace import Workspace

__all__ = ["InQueue", "TrainingAsked", "analysis_after", "place_of", "refuse_idle", "request_of"]

_STEPS = 10**18 - 1
"""The last step that a checkpoint's file can be named after."""

_EXAMPLE = {
    "family": "modadd.transformer",
    "params": {"prime": 59, "seed": 1},
    "training": {"weight_decay": 0.5},
    "steps": 5000,
    "then_analyze": True,
}


class InQueue(BaseModel):
    """Where in the queue a training goes, and what follows it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    priority: Annotated[StrictInt, Field(ge=-1000, le=1000, description="Higher ones begin first.")] = 0
    needs: Annotated[
        tuple[Annotated[StrictInt, Field(ge=1, le=LARGEST)], ...],
        Field(max_length=1000, description="Runs that have to be completed before it begins."),
    ] = ()
    then_analyze: Annotated[
        StrictBool | tuple[str, ...],
        Field(description="Analyze the variant once it is trained: true by all that applies, or by named instruments."),
    ] = False
    dry_run: Annotated[StrictBool, Field(description="Only say what would be asked for; nothing is queued.")] = False


_STRICT: dict[str, Any] = {
    "steps": Annotated[StrictInt | None, Field(ge=0, le=_STEPS)],
    "threads": Annotated[StrictInt | None, Field(ge=1, le=1024)],
    "log_every": Annotated[StrictInt | None, Field(ge=1)],
    **{name: StrictBool for name, info in TrainRequest.model_fields.items() if info.annotation is bool},
}
"""A number or a truth value in JSON is one, and no text that reads as one."""

_FIELDS: dict[str, Any] = {
    name: (
        _STRICT.get(name, info.annotation),
        Field(default=... if info.is_required() else info.default, description=docs),
    )
    for name, info in TrainRequest.model_fields.items()
    for docs in [field_docs(TrainRequest).get(name, "")]
}

if TYPE_CHECKING:
    TrainingAsked: TypeAlias = InQueue
else:
    TrainingAsked = create_model("TrainingAsked", __base__=InQueue, __doc__=InQueue.__doc__, **_FIELDS)


def request_of(asked: InQueue) -> TrainRequest:
    """The training that is asked for."""
    return TrainRequest.model_validate(asked.model_dump(include=set(TrainRequest.model_fields)))


def place_of(asked: InQueue, queue: RunQueue) -> Place:
    """Its place in the queue; BadValue where it needs a run that there is not."""
    with about("needs"):
        for number in asked.needs:
            queue.run(number)
    return Place(priority=asked.priority, needs=asked.needs)


def analysis_after(asked: InQueue, workspace: Workspace, variant: str) -> AnalyzeRequest | None:
    """What is to follow the training of that variant; BadValue where an instrument is not installed."""
    if not asked.then_analyze:
        return None
    names = None if asked.then_analyze is True else asked.then_analyze
    with about("then_analyze"):
        for name in names or ():
            workspace.plugins.analyzer(name)
        resolve(workspace.plugins.analyzers, names or ())
    return AnalyzeRequest(variants=(variant,), analyzers=names, group=request_of(asked).group)


def refuse_idle(workspace: Workspace, request: TrainRequest) -> None:
    """BadValue, with the field, where one of its training means nothing to its optimizer or schedule."""
    with about("training"):
        family = workspace.plugins.family(request.family)
        refuse_unused(checked_variant(family, request.params, request.training), request.training)
