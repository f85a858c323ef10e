"""A perceptron on the sum of two learned embeddings, one for a and one for b."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope import Basis, Family, Probe, Task, TrainingConfig, Variant
from miscope_modadd import pairs
from miscope_modadd.mlp import CHECKPOINTS, D_MLP, mlp_task
from miscope_modadd.params import ModAddParams

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model, Role

__all__ = ["EmbeddingMlpFamily"]

D_MODEL = 16


@final
class EmbeddingMlpFamily(Family):
    """Embeddings of width 16 for a and for b, added; a ReLU layer of 512; p outputs; no biases."""

    name = "modadd.embedding-mlp"
    title = "Modular addition: MLP on two learned embeddings"
    params = ModAddParams
    step_label = "epoch"

    def model(self, params: Any) -> Model:
        from miscope_modadd.hooked_mlp import build_model

        return build_model(_roles(params.prime))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {"grid": pairs.grid_probe(*_data(variant))}

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            learning_rate=1e-4, weight_decay=2.0, steps=50_000, train_fraction=0.75, checkpoints=CHECKPOINTS
        )

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        return mlp_task(*_data(variant), partial(initial_weights, params.prime, params.seed))

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return pairs.bases(params.prime, "a", "b", "sum", "token")


def initial_weights(prime: int, seed: int) -> dict[str, Tensor]:
    """As PyTorch begins: two `nn.Embedding` (standard normal), then `nn.Linear(16, 512)`, `nn.Linear(512, prime)`."""
    import torch

    from miscope_modadd.hooked_mlp import torch_linear

    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.empty(prime, D_MODEL).normal_(generator=generator) for _ in range(2))
    first, second = torch_linear(generator, D_MLP, D_MODEL), torch_linear(generator, prime, D_MLP)
    return {
        "W_E.a": a,
        "W_E.b": b,
        "blocks.0.mlp.W_in": first.T.contiguous(),
        "blocks.0.mlp.W_out": second.T.contiguous(),
    }


def _roles(prime: int) -> tuple[Role, ...]:
    from miscope.model import Role

    return (
        Role(name="W_E.a", axes=("a", "d_model"), shape=(prime, D_MODEL)),
        Role(name="W_E.b", axes=("b", "d_model"), shape=(prime, D_MODEL)),
        Role(name="blocks.0.mlp.W_in", axes=("d_model", "d_mlp"), shape=(D_MODEL, D_MLP)),
        Role(name="blocks.0.mlp.W_out", axes=("d_mlp", "vocab_out"), shape=(D_MLP, prime)),
    )


def _data(variant: Variant) -> tuple[Tensor, Tensor]:
    params: Any = variant.params
    fraction = variant.training.train_fraction if variant.training else 0.75
    return (
        pairs.pairs(params.prime, equals=False),
        pairs.random_split(params.prime, fraction, params.data_seed),
    )
