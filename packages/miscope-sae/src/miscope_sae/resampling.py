"""Dead latents drawn anew, towards inputs that are badly reconstructed (Bricken et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope.callbacks import Changes, UpdatePoint
from miscope.lazily import torch
from miscope_sae.architecture import Architecture
from miscope_sae.dead_latents import IDLE, dead
from miscope_sae.setting import Setting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["resampled", "resamples_at"]

_ENCODER_SHARE = 0.2
"""Of the mean norm of the encoder's columns of latents that are alive."""
_MOST = 1 << 15
"""Inputs looked at."""


def resamples_at(step: int, setting: Setting) -> bool:
    """Whether dead latents are drawn anew once there were `step` updates: at every so many, but not in the last fifth
    of the learning rate's schedule."""
    every, over = setting.training.resample_steps, setting.training.lr_schedule_steps
    return every is not None and step > 0 and step % every == 0 and (over is None or step < 0.8 * over)


def resampled(point: UpdatePoint, architecture: Architecture, setting: Setting, first: Mapping[str, float]) -> Changes:
    """What becomes of dead latents: an input each, drawn by its squared loss, is their direction; Adam forgets them.

    The encoder's columns have a fifth of the mean norm of those alive; per-latent weights go to the values of `first`.
    """
    where = dead(point.buffers[IDLE], point.step, setting)
    if not bool(where.any()):
        return Changes()
    rows = setting.normalise(point.train.inputs[:_MOST])
    losses = _losses(point, architecture, rows).double().square()
    count = int(where.sum())
    chosen = torch.multinomial(
        losses.cpu(), count, replacement=count > int((losses > 0).sum()), generator=point.generator
    ).to(rows.device)
    towards = rows[chosen] - point.weights["b_dec"]
    towards = towards / towards.norm(dim=1, keepdim=True).clamp(min=1e-8)
    weights = {name: tensor.clone() for name, tensor in point.weights.items() if name != "b_dec"}
    alive = ~where
    norm = setting.training.decoder_init_norm if setting.training.decoder_norm == "free" else 1.0
    share = weights["W_enc"][:, alive].norm(dim=0).mean() if bool(alive.any()) else torch.tensor(1.0)
    weights["W_dec"][where] = norm * towards
    weights["W_enc"][:, where] = (_ENCODER_SHARE * share * towards).T
    for name, value in first.items():
        weights[name][where] = value
    state = {role: _forgotten(role, point.optimizer_state.get(role, {}), where) for role in weights}
    return Changes(weights=weights, optimizer_state=state, buffers={IDLE: torch.where(where, 0, point.buffers[IDLE])})


def _losses(point: UpdatePoint, architecture: Architecture, rows: Tensor) -> Tensor:
    """(n,) squared errors in the normalised space."""
    before = architecture.before(point.weights, rows)
    return (architecture.decoded(point.weights, architecture.latents(point.weights, before)) - rows).square().sum(1)


def _forgotten(role: str, tensors: Mapping[str, Tensor], where: Tensor) -> dict[str, Tensor]:
    """Adam's averages with nothing of these latents; of a weight that has no gradient there are none."""
    out = {}
    for name in ("exp_avg", "exp_avg_sq"):
        if name in tensors:
            out[name] = tensors[name].clone()
            out[name][(slice(None), where) if role == "W_enc" else where] = 0
    return out
