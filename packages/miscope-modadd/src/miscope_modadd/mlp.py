"""A two-layer perceptron on one-hot a and b: modular addition without embeddings or attention."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

from miscope import Basis, Family, Probe, Task, TrainingConfig, Variant
from miscope.schedule import Ranges
from miscope_modadd import pairs
from miscope_modadd.params import ModAddParams

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model, Role

__all__ = ["CHECKPOINTS", "MlpFamily", "mlp_task"]

D_MLP = 512

CHECKPOINTS = Ranges(ranges=((0, 1_500, 100), (1_500, 12_000, 500), (12_000, 22_000, 100), (22_000, 50_000, 500)))


@final
class MlpFamily(Family):
    """One-hot a and b, a ReLU layer of 512, p outputs; no biases."""

    name = "modadd.mlp"
    title = "Modular addition: two-layer MLP on one-hot inputs"
    params = ModAddParams
    step_label = "epoch"

    def model(self, params: Any) -> Model:
        from miscope_modadd.hooked_mlp import build_model

        return build_model(_roles(params.prime))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {"grid": pairs.grid_probe(*_data(variant))}

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            learning_rate=1e-4, weight_decay=1.0, steps=50_000, train_fraction=0.3, checkpoints=CHECKPOINTS
        )

    def task(self, variant: Variant) -> Task:
        params: Any = variant.params
        return mlp_task(*_data(variant), partial(initial_weights, params.prime, params.seed))

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return pairs.bases(params.prime, "a", "b", "sum", "token")


def initial_weights(prime: int, seed: int) -> dict[str, Tensor]:
    """As PyTorch begins: `nn.Linear(2 prime, 512)`, whose first half is for a, then `nn.Linear(512, prime)`."""
    import torch

    from miscope_modadd.hooked_mlp import torch_linear

    generator = torch.Generator().manual_seed(seed)
    first, second = torch_linear(generator, D_MLP, 2 * prime), torch_linear(generator, prime, D_MLP)
    return {
        "W_E.a": first[:, :prime].T.contiguous(),
        "W_E.b": first[:, prime:].T.contiguous(),
        "blocks.0.mlp.W_out": second.T.contiguous(),
    }


def mlp_task(inputs: Tensor, chosen: Tensor, weights: partial[dict[str, Tensor]]) -> Task:
    """The task of a perceptron on pairs, trained on the chosen rows."""
    from torch.nn.functional import cross_entropy

    from miscope_modadd.evaluation import evaluate
    from miscope_modadd.hooked_mlp import logits

    prime = int(inputs.max()) + 1
    train, test = pairs.examples(inputs, inputs.sum(1) % prime, chosen)
    return Task(train=train, test=test, initial_weights=weights, loss=cross_entropy, evaluate=evaluate, logits=logits)


def _roles(prime: int) -> tuple[Role, ...]:
    from miscope.model import Role

    return (
        Role(name="W_E.a", axes=("a", "d_mlp"), shape=(prime, D_MLP)),
        Role(name="W_E.b", axes=("b", "d_mlp"), shape=(prime, D_MLP)),
        Role(name="blocks.0.mlp.W_out", axes=("d_mlp", "vocab_out"), shape=(D_MLP, prime)),
    )


def _data(variant: Variant) -> tuple[Tensor, Tensor]:
    params: Any = variant.params
    fraction = variant.training.train_fraction if variant.training else 0.3
    return (
        pairs.pairs(params.prime, equals=False),
        pairs.random_split(params.prime, fraction, params.data_seed),
    )
