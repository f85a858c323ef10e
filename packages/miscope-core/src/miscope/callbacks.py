"""What a training does beside going down the gradient: counts, projects gradients, constrains and resamples weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.field_docs import documented
from miscope.objective import ForwardPass

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from miscope.examples import Examples

__all__ = ["Callbacks", "Changes", "UpdatePoint"]

Tensors: TypeAlias = "Mapping[str, Tensor]"


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class UpdatePoint:
    """Where a training stands when a callback is asked; its tensors are not to be written into."""

    step: int
    """Optimizer updates so far: the present one counted once it was made."""
    weights: Tensors
    """By role."""
    gradients: Tensors = field(default_factory=dict)
    """By role, before an update is made; {} after it."""
    optimizer_state: Mapping[str, Tensors] = field(default_factory=dict)
    """By role, then by the optimizer's own name: {'W_E': {'exp_avg': ..., 'exp_avg_sq': ...}}."""
    buffers: Tensors = field(default_factory=dict)
    """The training's own tensors."""
    train: Examples
    """`Task.train`: all that is trained on, where updates draw nothing anew."""
    generator: torch.Generator
    """For what is drawn: the same at this step, however the training was cut into runs."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """New values; what is not named stays as it is."""

    weights: Tensors = field(default_factory=dict)
    """By role."""
    optimizer_state: Mapping[str, Tensors] = field(default_factory=dict)
    """By role, then by the optimizer's own name."""
    buffers: Tensors = field(default_factory=dict)
    """By name."""


def _no_buffers() -> Tensors:
    return {}


def _nothing_observed(seen: ForwardPass) -> Tensors:
    return {}


def _no_gradients(point: UpdatePoint) -> Tensors:
    return {}


def _no_changes(point: UpdatePoint) -> Changes:
    return Changes()


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Callbacks:
    """Pure functions that say what is to be changed; called without gradients, in the order in which they stand here.

    What they give is part of what decides the weights at a step, so it may depend on nothing but what they are given.
    """

    buffers: Callable[[], Tensors] = _no_buffers
    """-> the training's own tensors at step 0 (counters, running means); kept with its state, resumed exactly."""
    observe: Callable[[ForwardPass], Tensors] = _nothing_observed
    """-> buffers once the forward pass of an update was made: what the update's other callbacks are given."""
    before_clipping: Callable[[UpdatePoint], Tensors] = _no_gradients
    """-> gradients by role in place of those there are: a projection."""
    after_update: Callable[[UpdatePoint], Changes] = _no_changes
    """-> what the update's weights become (of unit norm, clamped) and, at planned steps, the optimizer's state too
    (units drawn anew). `step` is that of the checkpoint that would hold them."""
