"""A multilayer perceptron on one-hot a and b: modular arithmetic without embeddings or attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from miscope.schedule import Every
from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.arithmetic_family import ArithmeticFamily
from miscope_lal.params import PairParams
from miscope_lal.training import ArithmeticTraining

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.task import Forward

__all__ = ["MlpFamily"]


@final
class MlpFamily(ArithmeticFamily):
    """Linear and GELU for each hidden layer, and a linear layer to the answers; biases, no normalisation."""

    name = "lal.mlp"
    title = "Modular arithmetic: MLP with GELU on one-hot inputs"
    params = PairParams

    def model(self, params: Any) -> Model:
        from miscope_lal.mlp_network import build_model

        return build_model(params.prime, params.hidden_dim, params.n_layers)

    def training(self, params: Any) -> ArithmeticTraining:
        return ArithmeticTraining(
            steps=50_000,
            train_fraction=0.3,
            weight_decay=0.1,
            # What a weight is decides: the rows of the first layer are weights of a linear layer, no embeddings.
            no_decay=("b_U", "*.b_in"),
            checkpoints=Every(n=500),
            evaluate_every=10,
        )

    def encoded(self, asked: Questions) -> Tensor:
        return arithmetic.one_hot(asked)

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        from miscope_lal.mlp_network import initial_weights

        return initial_weights(params.prime, params.hidden_dim, params.n_layers, params.seed)

    def logits(self, params: Any) -> Forward:
        from miscope_lal.mlp_network import logits

        return logits
