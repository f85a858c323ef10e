"""Analyses over HTTP: asked for, of variants that are there or that a run in the queue is to train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.queued_run import Place
from miscope.runs.run_state import ENDED, RunState
from miscope.runs.submitting import submit
from miscope.validation import about
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.queue_access import LARGEST
from miscope_panel.rest.run_answers import RunSeen, answered

if TYPE_CHECKING:
    from miscope_panel.rest.queue_access import QueueAccess

__all__ = ["AnalysisAsked", "analyses_router"]

_LAST, _MOST = 10**18 - 1, 1000

_EXAMPLE: dict[str, Any] = {
    "variants": ["modadd.transformer/p59-seed1-dseed598"],
    "analyzers": ["parameters.norms"],
    "priority": 1,
}

Step = Annotated[StrictInt, Field(ge=0, le=_LAST)]


class AnalysisAsked(BaseModel):
    """The fields of an AnalyzeRequest that a server takes, and its place in the queue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    variants: Annotated[tuple[str, ...], Field(min_length=1, max_length=_MOST, description="Their names.")]
    analyzers: Annotated[
        tuple[str, ...] | None, Field(max_length=_MOST, description="Names; null for all that apply.")
    ] = None
    steps: Annotated[
        tuple[Step, ...] | str | None,
        Field(description="The checkpoints, or a schedule of them ('every:1000'); null for all."),
    ] = None
    force: Annotated[StrictBool, Field(description="Compute the named ones again though they exist.")] = False
    options: Annotated[
        dict[str, dict[str, JsonValue]], Field(description="Values by option, by analyzer.", examples=[{}])
    ] = {}
    group: Annotated[str | None, Field(description="The study that it is a run of.")] = None
    priority: Annotated[StrictInt, Field(ge=-1000, le=1000, description="Higher ones begin first.")] = 0
    needs: Annotated[
        tuple[Annotated[StrictInt, Field(ge=1, le=LARGEST)], ...],
        Field(max_length=_MOST, description="Runs that have to be completed before it begins."),
    ] = ()


def analyses_router(access: QueueAccess) -> APIRouter:
    """The one route that asks for an analysis."""
    routes = APIRouter(prefix=f"{PREFIX}/runs", tags=["runs"], responses={**PROBLEMS})

    @routes.post("", status_code=201, response_model=RunSeen)
    def analyze(asked: AnalysisAsked) -> Response:
        """Ask for an analysis of variants; trainings are asked for at `trainings`. The answer is its run."""
        with about("needs"):
            for number in asked.needs:
                access.queue.run(number)
        fields = asked.model_dump(include=set(AnalyzeRequest.model_fields))
        request = AnalyzeRequest.model_validate({**fields, "variants": _named(asked, access)})
        run = submit(access.workspace, access.queue, request, Place(priority=asked.priority, needs=asked.needs))
        access.summon()
        return answered(RunSeen.of(run), 201)

    return routes


def _named(asked: AnalysisAsked, access: QueueAccess) -> tuple[str, ...]:
    """The variants by their whole names; BadValue for one that is not there and that no run is to train."""
    coming = {run.what for run in access.queue.runs(frozenset(RunState) - ENDED) if run.kind == "train"}
    with about("variants"):
        return tuple(name if name in coming else access.workspace.find(name).name for name in asked.variants)
