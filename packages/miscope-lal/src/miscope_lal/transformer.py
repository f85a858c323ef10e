"""A causal transformer on [a, operation, b, =]: modular arithmetic with embeddings and attention."""

from __future__ import annotations

from typing import Any, final

from miscope.schedule import Every
from miscope_lal.token_family import NO_DECAY, TokenFamily
from miscope_lal.training import ArithmeticTraining
from miscope_lal.transformer_params import TransformerParams

__all__ = ["TransformerFamily"]


@final
class TransformerFamily(TokenFamily):
    """Blocks of LayerNorm, causal attention without biases, LayerNorm and an MLP with GELU.

    As in Power et al. 2022, but for the head, which knows the numbers alone, and [a, b, =] of Nanda et al. 2023, who
    have one block with ReLU and no LayerNorm.
    """

    name = "lal.transformer"
    title = "Modular arithmetic: causal transformer on [a, operation, b, =]"
    params = TransformerParams

    def training(self, params: Any) -> ArithmeticTraining:
        return ArithmeticTraining(
            steps=100_000,
            train_fraction=0.3,
            weight_decay=1.0,
            no_decay=NO_DECAY,
            clip_norm=1.0,
            checkpoints=Every(n=1000),
            evaluate_every=10,
        )
