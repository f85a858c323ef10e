"""One training of an autoencoder: sizes, normalised inputs, and what was chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope_sae.training import SparseTraining

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Setting"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What objectives and callbacks are made of."""

    name: str
    """Of the variant, for who reads what went wrong."""
    width: int
    """Numbers at the site that is encoded."""
    width_out: int
    """Numbers at the one that is reconstructed; of a crosscoder at each checkpoint."""
    latents: int
    shapes: Mapping[str, tuple[int, ...]]
    """Of each weight."""
    axes: Mapping[str, tuple[str, ...]]
    """What each axis of a weight counts."""
    training: SparseTraining
    seed: int
    normalise: Callable[[Tensor], tuple[Tensor, Tensor]]
    """Raw inputs as they are encoded, and what is to be reconstructed of them."""
    rows: Callable[[], Tensor]
    """(n, d) raw inputs trained on; of a stream those of the probe that are not held out."""

    @cached_property
    def targets(self) -> Tensor:
        """(n, d_out) what is to be reconstructed of the inputs trained on."""
        return self.normalise(self.rows())[1]

    def typical_latent(self, expected_l0: float) -> float:
        """Size of an active latent where what is reconstructed has squared norm `width_out` and so many are active."""
        return math.sqrt(self.width_out / expected_l0)

    def warmed(self, coefficient: float) -> Callable[[int], float]:
        """A coefficient at each step, rising from 0 over the warmup of sparsity."""
        warmup = self.training.sparsity_warmup_steps
        return lambda step: coefficient * min(1.0, (step + 1) / warmup) if warmup else coefficient
