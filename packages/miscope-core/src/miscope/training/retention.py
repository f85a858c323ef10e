"""Which checkpoints stay when room is needed: the first, the last ones, the best, and some over all of training."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue
from miscope.store.atomic import explaining
from miscope.store.best_checkpoint import JUDGES, best_checkpoint
from miscope.store.no_checkpoint import no_checkpoint

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["Pruning", "kept_steps", "prune", "pruning", "pruning_of_step"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What would be removed of a variant, and what stays."""

    variant: Variant
    kept: tuple[int, ...]
    """Steps whose checkpoints stay, ascending."""
    removed: tuple[int, ...]
    """Those whose checkpoints go."""
    needed: Mapping[int, tuple[str, ...]]
    """Of those that stay, the ones that others are built on: by step, these others."""
    size: int
    """Bytes that this frees."""


def kept_steps(steps: Sequence[int], *, last: int, spread: int) -> set[int]:
    """The first and the last, the `last` last ones, and so many spread evenly over the logarithm of the step.

    steps: ascending. Of what is spread, each is the nearest there is; so they may be fewer.
    """
    if not steps:
        return set()
    chosen = {steps[0], steps[-1], *(steps[-last:] if last else ())}
    top = math.log1p(steps[-1])
    for place in range(spread):
        wanted = top * place / max(spread - 1, 1)
        chosen.add(min(steps, key=lambda step: abs(math.log1p(step) - wanted)))
    return chosen


def pruning(workspace: Workspace, variant: Variant, *, last: int, spread: int) -> Pruning:
    """What would go of the variant; nothing is removed.

    The best one stays, and steps that others are built on. Raises BadValue where one of these cannot be opened, so
    that nobody knows on which step.
    """
    store = workspace.store
    steps, needed = store.steps(variant.name), _needed(workspace, variant)
    best = best_checkpoint(steps, store.metrics(variant.name, tuple(JUDGES)))
    kept = kept_steps(steps, last=last, spread=spread) | ({best.step} if best else set())
    return _plan(workspace, variant, kept, needed)


def pruning_of_step(workspace: Workspace, variant: Variant, step: int) -> Pruning:
    """That one checkpoint would go of the variant; nothing is removed.

    Raises NoCheckpoint where there is none at the step, BadValue for the first and the last, and for one that others
    are built on.
    """
    steps, needed = workspace.store.steps(variant.name), _needed(workspace, variant)
    if step not in steps:
        raise no_checkpoint(workspace.store.layout, variant.name, step, steps)
    if step in needed or step in (steps[0], steps[-1]):
        named = ", ".join(needed.get(step, ()))
        raise BadValue(
            f"The checkpoint of {variant.name} at step {step} stays.",
            f"These are built on it: {named}." if named else "It is the first, or the last, from which it goes on.",
            "Remove another one.",
            field="step",
        )
    return _plan(workspace, variant, {*steps} - {step}, needed)


def _plan(
    workspace: Workspace, variant: Variant, chosen: Collection[int], needed: Mapping[int, tuple[str, ...]]
) -> Pruning:
    """chosen: steps that stay beside those that are needed."""
    steps = workspace.store.steps(variant.name)
    removed = tuple(step for step in steps if step not in chosen and step not in needed)
    return Pruning(
        variant=variant,
        kept=tuple(step for step in steps if step not in removed),
        removed=removed,
        needed=needed,
        size=sum(path.stat().st_size for path in _files(workspace, variant.name, removed)),
    )


def prune(workspace: Workspace, plan: Pruning) -> None:
    """Remove the checkpoints that are to go, and the training states beside them. Artifacts stay.

    Raises Busy while somebody writes into the variant.
    """
    name = plan.variant.name
    with workspace.store.writing(name):
        for path in _files(workspace, name, plan.removed):
            with explaining(path):
                path.unlink()


def _files(workspace: Workspace, name: str, steps: Collection[int]) -> list[Path]:
    layout = workspace.store.layout
    of_step = (layout.checkpoint, layout.unfinite, layout.training_state)
    return [path for step in steps for where in of_step if (path := where(name, step)).exists()]


def _needed(workspace: Workspace, variant: Variant) -> dict[int, tuple[str, ...]]:
    """The steps of it that others are built on."""
    found: dict[int, tuple[str, ...]] = {}
    for stored in workspace.inventory():
        if stored.record is None or variant.digest not in stored.record.parents:
            continue
        if stored.variant is None:
            raise BadValue(
                f"No checkpoint of {variant.name} can be removed.",
                f"{stored.name} is built on it, and cannot be opened to see on which step.",
                f"Install the family {stored.record.family}, or delete {stored.name} first.",
            )
        for source in workspace.plugins.family(stored.variant.family).sources(stored.variant.params):
            if source.variant == variant.name:
                found[source.step] = (*found.get(source.step, ()), stored.name)
    return found
