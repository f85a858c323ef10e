"""Trainings over HTTP: asked for, extended, and what they left: metrics, checkpoints, configuration."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from miscope.analyze_request import AnalyzeRequest
from miscope.runs import actions
from miscope.runs.queued_run import Place
from miscope.runs.run_state import Action
from miscope.runs.submitting import arranged, submit
from miscope.train_request import TrainRequest
from miscope.training_command import training_command
from miscope.validation import about
from miscope_panel.http.problem import Problem
from miscope_panel.rest.checkpoints_api import add_checkpoints
from miscope_panel.rest.estimating import TOO_MANY
from miscope_panel.rest.metric_curves import FirstStep, LastStep, MetricNames, MostPoints, curves
from miscope_panel.rest.queue_access import QueueAccess, RunNumber
from miscope_panel.rest.run_answers import RunSeen, answered
from miscope_panel.rest.runs_api import add_action, router
from miscope_panel.rest.training_answers import Metrics, TrainingPlan
from miscope_panel.rest.training_asked import TrainingAsked, analysis_after, place_of, refuse_idle, request_of
from miscope_panel.rest.training_plan import done_before, estimated, planned
from miscope_panel.shown.training_script import script_of, study_of

__all__ = ["trainings_router"]

_KIND = "train"
_LAST = 10**18 - 1


class Longer(BaseModel):
    """To which step a completed training is to go on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"steps": 50000}]})

    steps: Annotated[StrictInt, Field(ge=1, le=_LAST, description="In all.")]


class ConfigFormat(StrEnum):
    """How a configuration is written."""

    JSON = "json"
    YAML = "yaml"
    PYTHON = "python"
    CLI = "cli"


_FORMATS = "json: a body of `POST trainings`; yaml: for `miscope sweep`; python: a script; cli: `miscope train ...`."
Format = Annotated[ConfigFormat, Query(description=_FORMATS)]

_CONFIG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The configuration.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"family": "modadd.transformer", "params": {"prime": 59}, "steps": 5000},
            },
            "text/plain": {
                "schema": {"type": "string"},
                "example": "miscope train modadd.transformer prime=59 --steps 5000\n",
            },
        },
    },
}


def trainings_router(access: QueueAccess) -> APIRouter:
    """The routes over runs, of trainings, and what trainings alone have."""
    routes = router(access, path="trainings", kind=_KIND)
    add_action(routes, access, _KIND, Action.SAVE)
    _add_beginning(routes, access)
    _add_asking(routes, access)
    _add_results(routes, access)
    add_checkpoints(routes, access)
    return routes


def _meant(access: QueueAccess, asked: TrainingAsked) -> tuple[TrainRequest, str, Place, AnalyzeRequest | None]:
    """The training, checked; what it is called, its place, and the analysis that is to follow."""
    request, place = request_of(asked), place_of(asked, access.queue)
    what, behind = arranged(access.workspace, access.queue, request, place)
    refuse_idle(access.workspace, request)
    return request, what, behind, analysis_after(asked, access.workspace, what)


def _add_beginning(routes: APIRouter, access: QueueAccess) -> None:
    @routes.post(
        "",
        status_code=201,
        response_model=RunSeen,
        responses={200: {"model": TrainingPlan, "description": "What it would be, where dry_run is true."}, **TOO_MANY},
    )
    def create(asked: TrainingAsked) -> Response:
        """Ask for a training; what the family refuses is refused at once. The answer is its run."""
        request, what, arranged_at, after = _meant(access, asked)
        if asked.dry_run:
            return answered(estimated(access, request, planned(access, request, what, arranged_at)))
        same = done_before(access, request, what)
        run = access.queue.submit(request, what=what, place=arranged_at)
        if after is not None:
            submit(access.workspace, access.queue, after, replace(Place(), priority=asked.priority, needs=(run.id,)))
        access.summon()
        return answered(RunSeen.of(run).model_copy(update={"duplicate_of": same}), 201)

    @routes.post("/{id}/extend", status_code=201, response_model=RunSeen, responses={409: {"model": Problem}})
    def extend(id: RunNumber, body: Longer) -> Response:
        """Ask for the same training to a later step: the answer is the new run."""
        completed = access.run(id, _KIND)
        with about("steps"):
            run = actions.extend(access.queue, completed.id, body.steps)
        access.summon()
        return answered(RunSeen.of(run), 201)


def _add_asking(routes: APIRouter, access: QueueAccess) -> None:
    @routes.post("/estimate", response_model=TrainingPlan, responses={**TOO_MANY})
    def estimate(asked: TrainingAsked) -> Response:
        """What such a training would be and will take; the same as `dry_run`, and nothing is queued."""
        request, what, place, _ = _meant(access, asked)
        return answered(estimated(access, request, planned(access, request, what, place)))

    @routes.post("/check", response_model=TrainingPlan)
    def check(asked: TrainingAsked) -> Response:
        """What such a training would be called, with every setting, and whether it is refused; nothing is estimated."""
        request, what, place, _ = _meant(access, asked)
        return answered(planned(access, request, what, place))


def _add_results(routes: APIRouter, access: QueueAccess) -> None:
    @routes.get("/{id}/metrics", response_model=Metrics)
    def metrics(
        id: RunNumber,
        names: MetricNames = None,
        start_step: FirstStep = None,
        end_step: LastStep = None,
        max_points: MostPoints = None,
    ) -> Response:
        """The metrics of the training's variant as columns; thinned out, each keeps its ends and all extremes."""
        run = access.run(id, _KIND)
        found = access.workspace.store.metrics(run.what, names or ("*",))
        shown = curves(found, start_step, end_step, max_points)
        return answered(Metrics(id=run.id, variant=run.what, metrics=shown))

    @routes.get("/{id}/config", responses={**_CONFIG})
    def config(id: RunNumber, format: Format = ConfigFormat.JSON) -> Response:
        """What was asked for: as the body that asks for the same, a study's file, a script, or a command."""
        run = access.run(id, _KIND)
        request = run.request
        assert isinstance(request, TrainRequest)
        if format is ConfigFormat.JSON:
            return JSONResponse(request.model_dump(mode="json", exclude_defaults=True))
        written = {
            ConfigFormat.YAML: partial(study_of, access.workspace, variant=run.what),
            ConfigFormat.PYTHON: script_of,
            ConfigFormat.CLI: training_command,
        }[format]
        return PlainTextResponse(f"{written(request).rstrip()}\n")
