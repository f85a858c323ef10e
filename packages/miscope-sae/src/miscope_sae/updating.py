"""What a training of an autoencoder does beside going down the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, final

from miscope import Callbacks
from miscope.callbacks import Changes, UpdatePoint
from miscope.lazily import torch
from miscope.objective import ForwardPass
from miscope_sae.roles import DECODER
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.updates.dead_latents import IDLE, idle_after, refuse_all_dead
from miscope_sae.updates.resampling import resampled, resamples_at
from miscope_sae.updates.unit_decoder import tangential, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Constraints", "callbacks_of"]

Tensors: TypeAlias = "Mapping[str, Tensor]"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Constraints:
    """What an architecture adds to the counting of dead latents and the norm of the decoder."""

    buffers: Callable[[], Tensors] = dict
    """The training's own tensors at step 0."""
    observe: Callable[[SparsePass, Tensors], Tensors] = lambda made, buffers: {}
    """(pass, buffers) -> new values of those."""
    weights: Callable[[Tensors, Tensors], Tensors] = lambda weights, buffers: {}
    """(weights, buffers) -> weights after an update."""
    first: Mapping[str, float] = field(default_factory=dict)
    """Weight with a number for each latent -> what it is where a latent is drawn anew."""


def callbacks_of(pass_of: PassOf, setting: Setting, own: Constraints) -> Callbacks:
    """Counts, projections, constraints and drawings of one training."""
    unit = setting.training.decoder_norm == "unit"

    def observe(seen: ForwardPass) -> Tensors:
        made = pass_of(seen)
        idle = idle_after(made, seen.buffers[IDLE], setting)
        refuse_all_dead(idle, seen.step, setting, skips=made.architecture.skips)
        return {IDLE: idle, **own.observe(made, seen.buffers)}

    def before_clipping(point: UpdatePoint) -> Tensors:
        if not unit or DECODER not in point.gradients:
            return {}
        return {DECODER: tangential(point.gradients[DECODER], point.weights[DECODER])}

    def after_update(point: UpdatePoint) -> Changes:
        changes = Changes()
        if resamples_at(point.step, setting):
            changes = resampled(point, pass_of.architecture, setting, own.first)
        weights = {**point.weights, **changes.weights}
        kept = {DECODER: unit_rows(weights[DECODER])} if unit else {}
        kept |= own.weights({**weights, **kept}, point.buffers)
        return Changes(
            weights={**changes.weights, **kept}, optimizer_state=changes.optimizer_state, buffers=changes.buffers
        )

    return Callbacks(
        buffers=lambda: {IDLE: torch.zeros(setting.latents, dtype=torch.int64), **own.buffers()},
        observe=observe,
        before_clipping=before_clipping,
        after_update=after_update,
    )
