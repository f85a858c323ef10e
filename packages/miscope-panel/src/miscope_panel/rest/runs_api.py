"""Runs over HTTP: listed, asked to stop, resume, retry, deleted and restored; the same for /runs and for /trainings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from miscope.runs import actions
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_state import Action
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem
from miscope_panel.rest.queue_access import LARGEST, Kind, QueueAccess, RunNumber
from miscope_panel.rest.run_answers import Asked, AskedOfMany, Page, RunLog, RunSeen, answered
from miscope_panel.rest.runs_again import add_again
from miscope_panel.rest.runs_listing import Wanted, page_of

__all__ = ["router", "runs_router"]

_REFUSED = {409: {"model": Problem, "description": "Its state does not allow it; `allowed` says what it does."}}
_LONGEST_TAIL = 10_000
_MOST_AT_ONCE = 1000

Tail = Annotated[int, Query(ge=1, le=_LONGEST_TAIL, description="So many of the last lines.")]

_DOCS = {
    Action.STOP: "Have it save a checkpoint and end; `resume` goes on from there.",
    Action.PAUSE: "As `stop`; one that has not begun is held back until it is resumed.",
    Action.CANCEL: "Have it never run, or not any further.",
    Action.SAVE: "Have a training keep a checkpoint of the step that it is at.",
}


class Nothing(BaseModel):
    """Nothing more is to be said: an empty object, or no body at all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class Numbers(BaseModel):
    """Runs of which the same is asked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [3, 4]}]})

    ids: Annotated[list[Annotated[StrictInt, Field(ge=1, le=LARGEST)]], Field(max_length=_MOST_AT_ONCE)]


def router(access: QueueAccess, *, path: str, kind: Kind | None) -> APIRouter:
    """Routes under that path over the runs of that kind; None for all."""
    routes = APIRouter(prefix=f"{PREFIX}/{path}", tags=[path], responses={**PROBLEMS})
    _add_looking(routes, access, kind)
    for action in (Action.STOP, Action.PAUSE, Action.CANCEL):
        add_action(routes, access, kind, action)
    add_again(routes, access, kind)
    _add_deleting(routes, access, kind)
    _add_bulk(routes, access, kind)
    return routes


def runs_router(access: QueueAccess) -> APIRouter:
    """Every run, trainings and analyses."""
    return router(access, path="runs", kind=None)


def _add_looking(routes: APIRouter, access: QueueAccess, kind: Kind | None) -> None:
    @routes.get("", response_model=Page)
    def listed(wanted: Annotated[Wanted, Query()]) -> Response:
        """The runs, the latest first, a page at a time; and how many are in each state."""
        return answered(page_of(access, kind, wanted))

    @routes.get("/{id}", response_model=RunSeen)
    def one(id: RunNumber) -> Response:
        """Everything of one run: what was asked for, how far it is, its last metrics, its error."""
        return answered(RunSeen.of(access.run(id, kind)))

    @routes.get("/{id}/log", response_model=RunLog)
    def log(
        id: RunNumber,
        tail: Tail = 100,
    ) -> Response:
        """The last lines that its process printed."""
        run = access.run(id, kind)
        return answered(RunLog(lines=RunFolder(access.queue.layout, run.id).tail(tail)))


def add_action(routes: APIRouter, access: QueueAccess, kind: Kind | None, action: Action) -> None:
    """The route that asks this of one run, after which there is nothing new to work on."""

    def asked(id: RunNumber, body: Nothing | None = None) -> Response:
        return answered(RunSeen.of(actions.ask(access.queue, action, access.run(id, kind).id)), 202)

    routes.post(
        f"/{{id}}/{action.value}",
        name=action.value,
        response_model=RunSeen,
        status_code=202,
        description=_DOCS[action],
        responses={**_REFUSED},
    )(asked)


def _add_deleting(routes: APIRouter, access: QueueAccess, kind: Kind | None) -> None:
    @routes.delete("/{id}", response_model=RunSeen, responses={**_REFUSED})
    def delete(id: RunNumber) -> Response:
        """Take it out of the list; `restore` puts it back. Variants and artifacts stay."""
        return answered(RunSeen.of(actions.delete(access.queue, access.run(id, kind).id)))

    @routes.post("/{id}/restore", response_model=RunSeen)
    def restore(id: RunNumber, body: Nothing | None = None) -> Response:
        """Put a deleted run back into the list."""
        return answered(RunSeen.of(actions.restore(access.queue, access.run(id, kind).id)))


def _add_bulk(routes: APIRouter, access: QueueAccess, kind: Kind | None) -> None:
    def asked(action: Action, number: int) -> QueuedRun:
        return actions.ask(access.queue, action, access.run(number, kind).id)

    @routes.post("/bulk-delete", response_model=AskedOfMany)
    def bulk_delete(body: Numbers) -> Response:
        """Delete several; one that is refused keeps none of the others back."""
        return answered(_of_each(body, partial(asked, Action.DELETE)))

    @routes.post("/bulk-retry", response_model=AskedOfMany)
    def bulk_retry(body: Numbers) -> Response:
        """Retry several, each as a new run; one that is refused keeps none of the others back."""
        told = _of_each(body, partial(asked, Action.RETRY))
        if any(each.run is not None for each in told.results):
            access.summon()
        return answered(told)


def _of_each(body: Numbers, action: Callable[[int], QueuedRun]) -> AskedOfMany:
    done = actions.each(body.ids, action)
    return AskedOfMany(
        results=[
            Asked(id=one.number, run=None if one.run is None else RunSeen.of(one.run), refused=one.refused or None)
            for one in done
        ]
    )
