"""The flagship family: one transformer layer that learns a + b modulo a prime."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope import Basis, Family, Probe, Task, TrainingConfig, Variant
from miscope.schedule import Ranges
from miscope_modadd import pairs
from miscope_modadd.params import ModAddParams

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.intervention import Intervention
    from miscope.model import Model
    from miscope_modadd.network import Architecture

__all__ = ["TransformerFamily"]

DRAWN = ("W_E", "W_pos", "attn.W_Q", "attn.W_O", "attn.W_K", "attn.W_V", "mlp.W_in", "mlp.W_out", "W_U")
"""Order in which TransformerLens' HookedTransformer draws its weights: W_O before W_K and W_V."""

CHECKPOINTS = Ranges(ranges=((0, 1_500, 100), (1_500, 9_000, 500), (9_000, 13_000, 100), (13_000, 25_000, 500)))
"""Dense while it memorises and where it generalises at p = 113."""


@final
class TransformerFamily(Family):
    """One layer, four heads, ReLU, no normalisation, no biases; every step sees the whole training set."""

    name = "modadd.transformer"
    title = "Modular addition: one-layer transformer"
    params = ModAddParams
    step_label = "epoch"

    def model(self, params: Any) -> Model:
        from miscope_modadd.network import build_model

        return build_model(_architecture(params))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        inputs, train = _data(variant)
        return {"grid": pairs.grid_probe(inputs, train)}

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(steps=25_000, train_fraction=0.3, weight_decay=1.0, checkpoints=CHECKPOINTS)

    def task(self, variant: Variant) -> Task:
        from torch.nn.functional import cross_entropy

        from miscope_modadd.evaluation import evaluate
        from miscope_modadd.network import table_logits

        params: Any = variant.params
        inputs, chosen = _data(variant)
        train, test = pairs.examples(inputs, inputs[:, :2].sum(1) % params.prime, chosen)
        return Task(
            train=train,
            test=test,
            initial_weights=partial(initial_weights, _architecture(params), params.seed),
            loss=cross_entropy,
            evaluate=evaluate,
            logits=partial(table_logits, self.model(params), params.prime),
        )

    def intervention(self, name: str, variant: Variant) -> Intervention | None:
        from miscope_modadd.interventions import gain_intervention

        return gain_intervention(name, variant)

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return pairs.bases(params.prime, "token", "a", "b", "sum")


def initial_weights(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    """Every weight from N(0, (0.8 / √d_model)²), in the order HookedTransformer draws them."""
    import torch

    shapes = {role.name: role.shape for role in architecture.roles}
    generator = torch.Generator().manual_seed(seed)
    scale = 0.8 / math.sqrt(architecture.d_model)
    names = [name if name.startswith("W_") else f"blocks.0.{name}" for name in DRAWN]
    drawn = {name: scale * torch.randn(shapes[name], generator=generator) for name in names}
    return {name: drawn[name] for name in shapes}


def _architecture(params: Any) -> Architecture:
    from miscope_modadd.network import Architecture

    return Architecture(prime=params.prime, vocabulary_out=params.prime)


def _data(variant: Variant) -> tuple[Tensor, Tensor]:
    """All inputs [a, b, =], and the rows trained on; the default share where training says nothing."""
    params: Any = variant.params
    fraction = variant.training.train_fraction if variant.training else 0.3
    return (
        pairs.pairs(params.prime, equals=True),
        pairs.random_split(params.prime, fraction, params.data_seed),
    )
