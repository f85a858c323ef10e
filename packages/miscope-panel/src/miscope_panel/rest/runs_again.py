"""Runs that go on, are asked for anew, or are to begin sooner, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StrictInt

from miscope.label_text import LONGEST_NOTES, LONGEST_TAG, MOST_TAGS
from miscope.runs.retrying import RetryMode, resume_at, retry_as
from miscope.runs.run_labels import LONGEST_NAME
from miscope_panel.http.problem import Problem
from miscope_panel.rest.exampled import exampled
from miscope_panel.rest.queue_access import LARGEST, Kind, QueueAccess, RunNumber
from miscope_panel.rest.run_answers import RunSeen, answered

__all__ = ["add_again"]

_REFUSED = {409: {"model": Problem, "description": "Its state does not allow it; `allowed` says what it does."}}


@final
class Resumed(BaseModel):
    """Where a run is to go on."""

    model_config = {**exampled(step=1200), "extra": "forbid"}

    step: Annotated[
        StrictInt | None,
        Field(ge=0, le=LARGEST, description="The last step that was saved; from no other does it go on."),
    ] = None


@final
class Retried(BaseModel):
    """How a run is asked for anew; as it was, where nothing is given."""

    model_config = {**exampled(mode="from_scratch", seed=7), "extra": "forbid"}

    mode: Annotated[RetryMode | None, Field(description="Where a training begins.")] = None
    seed: Annotated[
        StrictInt | None, Field(ge=0, le=LARGEST, description="In place of its own; that is another variant.")
    ] = None


_Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]


@final
class RunChanges(BaseModel):
    """What is to be otherwise of a run."""

    model_config = {**exampled(priority=5, name="baseline", tags=["paper"]), "extra": "forbid"}

    priority: Annotated[StrictInt | None, Field(ge=-1000, le=1000, description="Higher ones begin first.")] = None
    name: Annotated[str | None, Field(max_length=LONGEST_NAME, description="What it is called.")] = None
    notes: Annotated[str | None, Field(max_length=LONGEST_NOTES, description="What is to be known of it.")] = None
    tags: Annotated[tuple[_Tag, ...] | None, Field(max_length=MOST_TAGS, description="In place of those it has.")] = (
        None
    )


def add_again(routes: APIRouter, access: QueueAccess, kind: Kind | None) -> None:
    """The routes that resume, retry and change one run."""

    @routes.post("/{id}/resume", status_code=202, response_model=RunSeen, responses={**_REFUSED})
    def resume(id: RunNumber, body: Resumed | None = None) -> Response:
        """Put it back into the queue, to go on from its last state."""
        step = None if body is None else body.step
        run = resume_at(access.workspace, access.queue, access.run(id, kind).id, step)
        access.summon()
        return answered(RunSeen.of(run), 202)

    @routes.post("/{id}/retry", status_code=201, response_model=RunSeen, responses={**_REFUSED})
    def retry(id: RunNumber, body: Retried | None = None) -> Response:
        """Ask for the same anew, or from scratch, or with another seed: the answer is the new run, which says which it
        repeats."""
        asked = body or Retried()
        number = access.run(id, kind).id
        run = retry_as(access.workspace, access.queue, number, mode=asked.mode, seed=asked.seed)
        access.summon()
        return answered(RunSeen.of(run), 201)

    @routes.patch("/{id}", response_model=RunSeen)
    def change(id: RunNumber, body: RunChanges) -> Response:
        """Have it begin before others, or after them; give it a name, notes, tags. What is left out, or null, stays."""
        run = access.run(id, kind)
        labels = body.model_dump(exclude={"priority"}, exclude_none=True)
        replace(run.labels, **labels)  # what cannot be is refused before anything is changed
        if body.priority is not None:
            run = access.queue.prioritize(run.id, body.priority)
        if labels:
            run = access.queue.label(run.id, **labels)
        return answered(RunSeen.of(run))
