"""Which latents no longer fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.errors import MiscopeError
from miscope.lazily import torch
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import SparsePass

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IDLE", "AllLatentsDead", "dead", "idle_after", "refuse_all_dead"]

IDLE = "steps_since_fired"
"""The buffer that counts, for each latent, updates since it was last active."""


class AllLatentsDead(MiscopeError):
    """A training in which no latent fires any more: what is left is the decoder's bias, and what goes past them."""

    def __init__(self, variant: str, step: int, window: int, *, skips: bool = False) -> None:
        left, less = "the decoder's bias alone", "Lower"
        if skips:
            left = "the decoder's bias and what goes past the latents, beside which none is needed"
            less = "Let less go past them (another skip_mode, a smaller skip_rank, a larger skip_penalty), lower"
        super().__init__(
            f"No latent of {variant} fires any more at step {step}.",
            f"None was active in the last {window} updates: its reconstructions are {left}.",
            f"{less} the coefficient of sparsity (or its thresholds), or raise sparsity_warmup_steps; then train again "
            "with --no-resume.",
        )


def dead(idle: Tensor, step: int, setting: Setting) -> Tensor:
    """(m,) bool: not active for the window of the training, once there was such a window."""
    window = setting.training.dead_window_steps
    return (idle >= window) & (step >= window)


def idle_after(made: SparsePass, idle: Tensor, setting: Setting) -> Tensor:
    """(m,) the count after a batch."""
    fired = made.latents.amax(0) > setting.training.dead_neuron_threshold
    return torch.where(fired, 0, idle + 1)


def refuse_all_dead(idle: Tensor, step: int, setting: Setting, *, skips: bool) -> None:
    """AllLatentsDead where none is left. skips: whether something goes past them."""
    if bool(dead(idle, step, setting).all()):
        raise AllLatentsDead(setting.name, step, setting.training.dead_window_steps, skips=skips)
