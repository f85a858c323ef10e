"""Checkpoints of a training over HTTP: listed, saved now, and removed where nothing needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

import numpy as np
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, StrictBool, StrictInt

from miscope.runs import actions
from miscope.training.retention import prune, pruning, pruning_of_step
from miscope_panel.http.problem import Problem
from miscope_panel.rest.exampled import exampled
from miscope_panel.rest.queue_access import QueueAccess, RunNumber
from miscope_panel.rest.run_answers import RunSeen, answered
from miscope_panel.rest.training_answers import Checkpoints, CheckpointSeen

if TYPE_CHECKING:
    from miscope.store.store import Store
    from miscope.training.retention import Pruning

__all__ = ["add_checkpoints", "checkpoints_of"]

_KIND = "train"
_LAST = 10**18 - 1
_REFUSED = {409: {"model": Problem, "description": "Its state does not allow it, or somebody writes there."}}

Step = Annotated[int, Path(ge=0, le=_LAST, description="Of the checkpoint.", examples=[500])]


@final
class Rule(BaseModel):
    """Which checkpoints stay: the first and the last always, and what others are built on."""

    model_config = {**exampled(last=3, spread=20, dry_run=False), "extra": "forbid"}

    last: Annotated[StrictInt, Field(ge=0, le=10**6, description="So many of the last ones.")] = 1
    spread: Annotated[
        StrictInt, Field(ge=0, le=10**4, description="So many spread over the logarithm of the step.")
    ] = 0
    dry_run: Annotated[StrictBool, Field(description="Only say which; false removes them.")] = True


@final
class Pruned(BaseModel):
    """What was removed of a training's checkpoints, or would be. Artifacts stay."""

    model_config = exampled(variant="toy.sum/v5", done=True, kept=[0, 30], removed=[10, 20], needed={}, bytes=8192)

    variant: str
    done: bool
    kept: list[int]
    removed: list[int]
    needed: dict[int, list[str]] = Field(description="Of those kept, by step: variants that are built on them.")
    bytes: int = Field(description="That this frees.")

    @classmethod
    def of(cls, plan: Pruning, *, done: bool) -> Pruned:
        """The plan in these words."""
        needed = {step: list(names) for step, names in plan.needed.items()}
        steps = {"kept": list(plan.kept), "removed": list(plan.removed), "needed": needed}
        return cls.model_validate({"variant": plan.variant.name, "done": done, **steps, "bytes": plan.size})


def add_checkpoints(routes: APIRouter, access: QueueAccess) -> None:
    """The routes over them."""

    @routes.get("/{id}/checkpoints", response_model=Checkpoints)
    def checkpoints(id: RunNumber) -> Response:
        """The checkpoints of the training's variant: size, metrics of that step, what is wrong with one."""
        run = access.run(id, _KIND)
        return answered(
            Checkpoints(id=run.id, variant=run.what, checkpoints=checkpoints_of(access.workspace.store, run.what))
        )

    @routes.post("/{id}/checkpoints", status_code=202, response_model=RunSeen, responses={**_REFUSED})
    def save_checkpoint(id: RunNumber) -> Response:
        """Have it keep a checkpoint of the step that it is at; the same as `save`."""
        return answered(RunSeen.of(actions.save(access.queue, access.run(id, _KIND).id)), 202)

    @routes.post("/{id}/checkpoints/prune", response_model=Pruned, responses={**_REFUSED})
    def prune_checkpoints(id: RunNumber, rule: Rule | None = None) -> Response:
        """Remove checkpoints to make room, by a rule that one sees first: a dry run unless it says otherwise."""
        rule = rule or Rule()
        variant = access.workspace.find(access.run(id, _KIND).what)
        plan = pruning(access.workspace, variant, last=rule.last, spread=rule.spread)
        if not rule.dry_run:
            prune(access.workspace, plan)
        return answered(Pruned.of(plan, done=not rule.dry_run))

    @routes.delete("/{id}/checkpoints/{step}", response_model=Pruned, responses={**_REFUSED})
    def delete_checkpoint(id: RunNumber, step: Step) -> Response:
        """Remove one checkpoint; neither the first nor the last, nor one that others are built on. Artifacts stay."""
        variant = access.workspace.find(access.run(id, _KIND).what)
        plan = pruning_of_step(access.workspace, variant, step)
        prune(access.workspace, plan)
        return answered(Pruned.of(plan, done=True))


def checkpoints_of(store: Store, variant: str) -> list[CheckpointSeen]:
    """The checkpoints of the variant, by step."""
    by_step: dict[int, dict[str, float | None]] = {step: {} for step in store.steps(variant)}
    for name, series in store.metrics(variant).items():
        kept = np.isin(series.steps, [*by_step])
        for step, value in zip(series.steps[kept].tolist(), series.values[kept].tolist(), strict=True):
            by_step[step][name] = value
    return [_checkpoint(store, variant, step, metrics) for step, metrics in by_step.items()]


def _checkpoint(store: Store, variant: str, step: int, metrics: dict[str, float | None]) -> CheckpointSeen:
    try:
        size = store.layout.checkpoint(variant, step).stat().st_size
    except FileNotFoundError:
        size = None
    return CheckpointSeen(
        step=step,
        bytes=size,
        problem=store.unfinite(variant, step),
        with_state=store.layout.training_state(variant, step).exists(),
        metrics=metrics,
    )
