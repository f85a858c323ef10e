"""One training of an autoencoder: sizes, normalised inputs, and what was chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
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
    """Numbers in an input."""
    latents: int
    training: SparseTraining
    seed: int
    normalise: Callable[[Tensor], Tensor]
    """Raw inputs as they are encoded."""
    rows: Callable[[], Tensor]
    """(n, d) raw inputs trained on."""

    @cached_property
    def normalised_rows(self) -> Tensor:
        """(n, d) inputs trained on, as they are encoded."""
        return self.normalise(self.rows())

    def typical_latent(self, expected_l0: float) -> float:
        """Size of an active latent where inputs have squared norm `width` and so many are active."""
        return math.sqrt(self.width / expected_l0)

    def warmed(self, coefficient: float) -> Callable[[int], float]:
        """A coefficient at each step, rising from 0 over the warmup of sparsity."""
        warmup = self.training.sparsity_warmup_steps
        return lambda step: coefficient * min(1.0, (step + 1) / warmup) if warmup else coefficient
