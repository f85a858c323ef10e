"""A two-layer perceptron on one-hot a and b: modular addition without embeddings or attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from miscope import TrainingConfig
from miscope.schedule import Ranges
from miscope_modadd.modular_addition import ModularAddition

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model, Role
    from miscope.task import Forward

__all__ = ["CHECKPOINTS", "MlpFamily"]

D_MLP = 512

CHECKPOINTS = Ranges(ranges=((0, 1_500, 100), (1_500, 12_000, 500), (12_000, 22_000, 100), (22_000, 50_000, 500)))


@final
class MlpFamily(ModularAddition):
    """One-hot a and b, a ReLU layer of 512, p outputs; no biases."""

    name = "modadd.mlp"
    title = "Modular addition: two-layer MLP on one-hot inputs"
    equals = False

    def model(self, params: Any) -> Model:
        from miscope_modadd.hooked_mlp import build_model

        return build_model(_roles(params.prime))

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            learning_rate=1e-4, weight_decay=1.0, steps=50_000, train_fraction=0.3, checkpoints=CHECKPOINTS
        )

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        """As PyTorch begins: `nn.Linear(2 prime, 512)`, whose first half is for a, then `nn.Linear(512, prime)`."""
        import torch

        from miscope_modadd.hooked_mlp import torch_linear

        prime, generator = params.prime, torch.Generator().manual_seed(params.seed)
        first, second = torch_linear(generator, D_MLP, 2 * prime), torch_linear(generator, prime, D_MLP)
        return {
            "W_E.a": first[:, :prime].T.contiguous(),
            "W_E.b": first[:, prime:].T.contiguous(),
            "blocks.0.mlp.W_out": second.T.contiguous(),
        }

    def logits(self, params: Any) -> Forward:
        from miscope_modadd.hooked_mlp import logits

        return logits


def _roles(prime: int) -> tuple[Role, ...]:
    from miscope.model import Role

    return (
        Role(name="W_E.a", axes=("a", "d_mlp"), shape=(prime, D_MLP)),
        Role(name="W_E.b", axes=("b", "d_mlp"), shape=(prime, D_MLP)),
        Role(name="blocks.0.mlp.W_out", axes=("d_mlp", "vocab_out"), shape=(D_MLP, prime)),
    )
