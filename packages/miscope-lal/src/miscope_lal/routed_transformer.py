"""A causal transformer whose blocks blend several MLPs at every position, as a gate says."""

from __future__ import annotations

from typing import Any, final

from miscope.schedule import Every
from miscope_lal.log_line import LOGGED_OF_ROUTING
from miscope_lal.token_family import NO_DECAY, TokenFamily
from miscope_lal.training import RoutedTraining
from miscope_lal.transformer_params import RoutedTransformerParams

__all__ = ["RoutedTransformerFamily"]


@final
class RoutedTransformerFamily(TokenFamily):
    """The transformer, with MLPs side by side in each block and a gate that weighs them, from the stream and a state.

    No position sees a later one, in its state neither, and all but the gate's last matrix begins as the transformer
    does, so that the two can be compared.
    """

    name = "lal.routed-transformer"
    title = "Modular arithmetic: causal transformer that routes through MLPs"
    params = RoutedTransformerParams
    training_config = RoutedTraining
    logged = LOGGED_OF_ROUTING

    def training(self, params: Any) -> RoutedTraining:
        return RoutedTraining(
            steps=100_000,
            train_fraction=0.3,
            weight_decay=1.0,
            no_decay=(*NO_DECAY, "*.routing.W_gate*"),
            clip_norm=1.0,
            checkpoints=Every(n=1000),
            evaluate_every=10,
        )

    def routing_sites(self, params: Any) -> tuple[str, ...]:
        return tuple(f"blocks.{layer}.routing.hook_weights" for layer in range(params.n_layers))
