"""Dead latents drawn anew, towards inputs that are badly reconstructed (Bricken et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from miscope.callbacks import Changes, UpdatePoint
from miscope.lazily import torch
from miscope_sae.architecture import LATENT, Architecture
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER
from miscope_sae.setting import Setting
from miscope_sae.training import RESAMPLED_SHARE
from miscope_sae.updates.dead_latents import IDLE, dead
from miscope_sae.updates.unit_decoder import unit_rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["resampled", "resamples_at"]

_ENCODER_SHARE = 0.2
"""Of the mean norm of the encoder's columns of latents that are alive."""
_MOST = 1 << 15
"""Inputs looked at."""
_LEAST = 1e-100
"""The least chance of an input to be drawn, before they are made to add up to 1."""


def resamples_at(step: int, setting: Setting) -> bool:
    """Whether dead latents are drawn anew once there were `step` updates: at every so many, but not in the last fifth
    of the learning rate's schedule."""
    every, over = setting.training.resample_steps, setting.training.lr_schedule_steps
    return every is not None and step > 0 and step % every == 0 and (over is None or step < RESAMPLED_SHARE * over)


def resampled(point: UpdatePoint, architecture: Architecture, setting: Setting, first: Mapping[str, float]) -> Changes:
    """What becomes of dead latents: an input each, drawn by its squared loss, is their direction; Adam forgets them.

    The encoder's columns have a fifth of the mean norm of those alive; other weights with an axis of latents go there
    to the value of `first`, or to 0; a weight without one stays as it is.
    """
    where = dead(point.buffers[IDLE], point.step, setting)
    if not bool(where.any()):
        return Changes()
    rows, targets = setting.normalise(point.train.inputs[:_MOST])
    drawn = _drawn(point, architecture, (rows, targets), int(where.sum()))
    written = unit_rows(targets[drawn] - point.weights[DECODER_BIAS])
    # Of an autoencoder the same direction; a transcoder reads another space than it writes into.
    read = written if targets is rows else unit_rows(rows[drawn])
    weights = {name: tensor.clone() for name, tensor in point.weights.items() if LATENT in setting.axes[name]}
    alive = ~where
    norm = setting.training.decoder_init_norm if setting.training.decoder_norm == "free" else 1.0
    share = weights[ENCODER][:, alive].norm(dim=0).mean() if bool(alive.any()) else torch.tensor(1.0)
    weights[DECODER][where] = norm * written
    weights[ENCODER][:, where] = (_ENCODER_SHARE * share * read).T
    for name in weights.keys() - {DECODER, ENCODER}:
        _set(weights[name], setting.axes[name], where, first.get(name, 0.0))
    state = {
        role: _forgotten(remembered, weights[role], setting.axes[role], where)
        for role, remembered in point.optimizer_state.items()
        if role in weights
    }
    return Changes(weights=weights, optimizer_state=state, buffers={IDLE: torch.where(where, 0, point.buffers[IDLE])})


def _drawn(point: UpdatePoint, architecture: Architecture, shown: tuple[Tensor, Tensor], count: int) -> Tensor:
    """(count,) which of the normalised rows, by their squared loss; none twice as long as there are others."""
    rows, targets = shown
    latents = architecture.latents(point.weights, architecture.before(point.weights, rows))
    found = architecture.reconstructed(point.weights, latents, rows)
    # Never 0: an input without any loss is drawn once there is no other.
    chances = (found - targets).double().square().sum(1).square().clamp(min=_LEAST)
    drawn = torch.multinomial(chances.cpu(), count, replacement=count > len(rows), generator=point.generator)
    return drawn.to(rows.device)


def _set(tensor: Tensor, axes: Sequence[str], where: Tensor, value: float) -> None:
    """Write the value where an axis counts one of these latents."""
    for place in (place for place, axis in enumerate(axes) if axis == LATENT):
        tensor.movedim(place, 0)[where] = value


def _forgotten(
    remembered: Mapping[str, Tensor], weight: Tensor, axes: Sequence[str], where: Tensor
) -> dict[str, Tensor]:
    """The optimizer's averages with nothing of these latents."""
    out = {name: tensor.clone() for name, tensor in remembered.items() if tensor.shape == weight.shape}
    for tensor in out.values():
        _set(tensor, axes, where, 0.0)
    return out
