"""The flagship family: one transformer layer that learns a + b modulo a prime."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope import TrainingConfig, Variant
from miscope.schedule import Ranges
from miscope_modadd.modular_addition import ModularAddition
from miscope_modadd.paper_layout import roles_of_paper

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.intervention import Intervention
    from miscope.model import Model
    from miscope.task import Forward
    from miscope_modadd.network import Architecture

__all__ = ["TransformerFamily"]

DRAWN = ("W_E", "W_pos", "attn.W_Q", "attn.W_O", "attn.W_K", "attn.W_V", "mlp.W_in", "mlp.W_out", "W_U")
"""Order in which TransformerLens' HookedTransformer draws its weights: W_O before W_K and W_V."""

CHECKPOINTS = Ranges(ranges=((0, 1_500, 100), (1_500, 9_000, 500), (9_000, 13_000, 100), (13_000, 25_000, 500)))
"""Dense while it memorises and where it generalises at p = 113."""


@final
class TransformerFamily(ModularAddition):
    """One layer, four heads, ReLU, no normalisation, no biases; every step sees the whole training set."""

    name = "modadd.transformer"
    title = "Modular addition: one-layer transformer"
    equals = True

    def model(self, params: Any) -> Model:
        from miscope_modadd.network import build_model

        return build_model(_architecture(params))

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(steps=25_000, train_fraction=0.3, weight_decay=1.0, checkpoints=CHECKPOINTS)

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        """Every weight from N(0, (0.8 / √d_model)²), in the order HookedTransformer draws them."""
        import torch

        architecture = _architecture(params)
        shapes = {role.name: role.shape for role in architecture.roles}
        generator = torch.Generator().manual_seed(params.seed)
        scale = 0.8 / math.sqrt(architecture.d_model)
        names = [name if name.startswith("W_") else f"blocks.0.{name}" for name in DRAWN]
        drawn = {name: scale * torch.randn(shapes[name], generator=generator) for name in names}
        return {name: drawn[name] for name in shapes}

    def logits(self, params: Any) -> Forward:
        from miscope_modadd.network import table_logits

        return partial(table_logits, self.model(params), params.prime)

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        return super().adopt(state, params) or super().adopt(roles_of_paper(state), params)

    def intervention(self, name: str, variant: Variant) -> Intervention | None:
        from miscope_modadd.interventions import gain_intervention

        return gain_intervention(name, variant, lambda: self.task(variant).train.inputs)


def _architecture(params: Any) -> Architecture:
    from miscope_modadd.network import Architecture

    return Architecture(prime=params.prime, vocabulary_out=params.prime)
