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

        return gain_intervention(name, variant)

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        roles = self.model(params).roles
        found = super().adopt(state, params) or (adopt_paper(state) if set(state) >= PAPER_NAMES else None)
        if found is None or any(tuple(found[name].shape) != role.shape for name, role in roles.items()):
            return None
        return found


_BLOCK = "blocks.0."
PAPER_NAMES = frozenset(
    {
        "embed.W_E",
        "pos_embed.W_pos",
        "unembed.W_U",
        *(f"{_BLOCK}attn.W_{letter}" for letter in "QKVO"),
        *(f"{_BLOCK}mlp.{name}" for name in ("W_in", "b_in", "W_out", "b_out")),
    }
)
"""Tensors of the paper's own state dict; its causal mask is not a weight."""


def adopt_paper(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The paper's tensors, by its names and in its orientation, as roles."""
    heads, d_head, _ = state[f"{_BLOCK}attn.W_Q"].shape
    attention = {f"{_BLOCK}attn.W_{letter}": state[f"{_BLOCK}attn.W_{letter}"].transpose(1, 2) for letter in "QKV"}
    found = {
        "W_E": state["embed.W_E"].T,
        "W_pos": state["pos_embed.W_pos"],
        **attention,
        f"{_BLOCK}attn.W_O": state[f"{_BLOCK}attn.W_O"].unflatten(1, (heads, d_head)).permute(1, 2, 0),
        f"{_BLOCK}mlp.W_in": state[f"{_BLOCK}mlp.W_in"].T,
        f"{_BLOCK}mlp.b_in": state[f"{_BLOCK}mlp.b_in"],
        f"{_BLOCK}mlp.W_out": state[f"{_BLOCK}mlp.W_out"].T,
        f"{_BLOCK}mlp.b_out": state[f"{_BLOCK}mlp.b_out"],
        "W_U": state["unembed.W_U"],
    }
    return {name: tensor.contiguous() for name, tensor in found.items()}


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
    weights = adopt_paper({**state, **biases})
    return {role.name: weights[role.name] for role in architecture.roles}


def _architecture(params: Any) -> Architecture:
    from miscope_modadd.network import Architecture

    return Architecture(prime=params.prime, vocabulary_out=params.prime + 1, mlp_biases=True)
