"""A perceptron on the sum of two learned embeddings, one for a and one for b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from miscope import TrainingConfig
from miscope_modadd.mlp import CHECKPOINTS, D_MLP
from miscope_modadd.modular_addition import ModularAddition

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model, Role
    from miscope.task import Forward

__all__ = ["EmbeddingMlpFamily"]

D_MODEL = 16


@final
class EmbeddingMlpFamily(ModularAddition):
    """Embeddings of width 16 for a and for b, added; a ReLU layer of 512; p outputs; no biases."""

    name = "modadd.embedding-mlp"
    title = "Modular addition: MLP on two learned embeddings"
    equals = False

    def model(self, params: Any) -> Model:
        from miscope_modadd.hooked_mlp import build_model

        return build_model(_roles(params.prime))

    def training(self, params: Any) -> TrainingConfig:
        return TrainingConfig(
            learning_rate=1e-4, weight_decay=2.0, steps=50_000, train_fraction=0.75, checkpoints=CHECKPOINTS
        )

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        """As PyTorch begins: two `nn.Embedding` (N(0, 1)), then `nn.Linear(16, 512)`, `nn.Linear(512, prime)`."""
        import torch

        from miscope_modadd.hooked_mlp import torch_linear

        prime, generator = params.prime, torch.Generator().manual_seed(params.seed)
        a, b = (torch.empty(prime, D_MODEL).normal_(generator=generator) for _ in range(2))
        first, second = torch_linear(generator, D_MLP, D_MODEL), torch_linear(generator, prime, D_MLP)
        return {
            "W_E.a": a,
            "W_E.b": b,
            "blocks.0.mlp.W_in": first.T.contiguous(),
            "blocks.0.mlp.W_out": second.T.contiguous(),
        }

    def logits(self, params: Any) -> Forward:
        from miscope_modadd.hooked_mlp import logits

        return logits


def _roles(prime: int) -> tuple[Role, ...]:
    from miscope.model import Role

    return (
        Role(name="W_E.a", axes=("a", "d_model"), shape=(prime, D_MODEL)),
        Role(name="W_E.b", axes=("b", "d_model"), shape=(prime, D_MODEL)),
        Role(name="blocks.0.mlp.W_in", axes=("d_model", "d_mlp"), shape=(D_MODEL, D_MLP)),
        Role(name="blocks.0.mlp.W_out", axes=("d_mlp", "vocab_out"), shape=(D_MLP, prime)),
    )
