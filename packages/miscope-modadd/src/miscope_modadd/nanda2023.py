"""The exact configuration of Nanda et al. 2023, "Progress measures for grokking via mechanistic interpretability"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope import TrainingConfig, Variant
from miscope.schedule import Every
from miscope_modadd import pairs
from miscope_modadd.modular_addition import ModularAddition
from miscope_modadd.paper_layout import roles_of_paper
from miscope_modadd.params import PaperParams

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.intervention import Intervention
    from miscope.model import Model
    from miscope.task import Forward
    from miscope_modadd.network import Architecture

__all__ = ["Nanda2023Family"]


@final
class Nanda2023Family(ModularAddition):
    """Like the transformer, with the paper's 114 outputs, trained MLP biases, initialisation, split and warmup."""

    name = "modadd.nanda2023"
    title = "Modular addition: exactly as in Nanda et al. 2023"
    params = PaperParams
    equals = True

    def model(self, params: Any) -> Model:
        from miscope_modadd.network import build_model

        return build_model(_architecture(params))

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            steps=16_000,
            train_fraction=0.3,
            weight_decay=1.0,
            warmup_steps=10,
            checkpoints=Every(n=100),
            evaluate_every=10,
        )

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        return _drawn(_architecture(params), params.seed)

    def logits(self, params: Any) -> Forward:
        from miscope_modadd.network import unfolded_logits

        return partial(unfolded_logits, self.model(params), params.prime)

    def split(self, params: Any, fraction: float) -> Tensor:
        return pairs.paper_split(params.prime, fraction, params.seed)

    def intervention(self, name: str, variant: Variant) -> Intervention | None:
        from miscope_modadd.interventions import gain_intervention

        return gain_intervention(name, variant, lambda: self.task(variant).train.inputs)

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        return super().adopt(state, params) or super().adopt(roles_of_paper(state), params)


_BLOCK = "blocks.0."


def _drawn(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    """Drawn in the paper's order and orientation: N(0, 1 / d_model), W_U N(0, 1 / vocabulary), biases zero."""
    import torch

    p, d, m = architecture.prime, architecture.d_model, architecture.d_mlp
    head = (architecture.heads, architecture.d_head, d)
    shapes = {
        "embed.W_E": (d, p + 1),
        "pos_embed.W_pos": (3, d),
        f"{_BLOCK}attn.W_K": head,
        f"{_BLOCK}attn.W_Q": head,
        f"{_BLOCK}attn.W_V": head,
        f"{_BLOCK}attn.W_O": (d, d),
        f"{_BLOCK}mlp.W_in": (m, d),
        f"{_BLOCK}mlp.W_out": (d, m),
        "unembed.W_U": (d, p + 1),
    }
    generator = torch.Generator().manual_seed(seed)
    scales = {name: math.sqrt(p + 1 if name == "unembed.W_U" else d) for name in shapes}
    state = {name: torch.randn(shape, generator=generator) / scales[name] for name, shape in shapes.items()}
    biases = {f"{_BLOCK}mlp.b_in": torch.zeros(m), f"{_BLOCK}mlp.b_out": torch.zeros(d)}
    weights = roles_of_paper({**state, **biases})
    return {role.name: weights[role.name] for role in architecture.roles}


def _architecture(params: Any) -> Architecture:
    from miscope_modadd.network import Architecture

    return Architecture(prime=params.prime, vocabulary_out=params.prime + 1, mlp_biases=True)
