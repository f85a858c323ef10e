"""A residual network whose layers blend the outputs of several MLPs by routing weights of its own making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import Field

from miscope.schedule import Every
from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.arithmetic_family import ArithmeticFamily
from miscope_lal.log_line import LOGGED_OF_ROUTING
from miscope_lal.params import PairParams
from miscope_lal.routed_weights import NO_DECAY, RoutedSizes
from miscope_lal.training import RoutedTraining

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.task import Forward

__all__ = ["RoutedFamily", "RoutedParams"]


@final
class RoutedParams(PairParams):
    """And how many heads a layer has."""

    n_heads: Annotated[int, Field(ge=1, le=256, json_schema_extra={"slug": "heads"})] = 4
    """MLPs of each layer; with one there is nothing to route."""


@final
class RoutedFamily(ArithmeticFamily):
    """h = LayerNorm(h + sum_k w_k MLP_k(h)), the weights w a softmax of a gate that reads h and a routing state."""

    name = "lal.routed"
    title = "Modular arithmetic: MLP heads blended by learned routing"
    params = RoutedParams
    training_config = RoutedTraining
    logged = LOGGED_OF_ROUTING

    def model(self, params: Any) -> Model:
        from miscope_lal import routed_pass
        from miscope_lal.open_model import OpenModel

        return OpenModel(routed_pass.run, roles=_sizes(params).roles, sites=routed_pass.sites(params.n_layers))

    def training(self, params: Any) -> RoutedTraining:
        return RoutedTraining(
            steps=50_000,
            train_fraction=0.3,
            weight_decay=0.1,
            no_decay=NO_DECAY,
            checkpoints=Every(n=500),
            evaluate_every=10,
        )

    def encoded(self, asked: Questions) -> Tensor:
        return arithmetic.one_hot(asked)

    def initial_weights(self, params: Any) -> dict[str, Tensor]:
        return _sizes(params).initial_weights(params.seed)

    def logits(self, params: Any) -> Forward:
        from miscope_lal import routed_pass

        return routed_pass.logits

    def routing_sites(self, params: Any) -> tuple[str, ...]:
        return tuple(f"blocks.{layer}.routing.hook_weights" for layer in range(params.n_layers))


def _sizes(params: Any) -> RoutedSizes:
    return RoutedSizes(p=params.prime, d_model=params.hidden_dim, layers=params.n_layers, heads=params.n_heads)
