"""How models of modular arithmetic are trained: what their losses may have beside cross-entropy."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from miscope import TrainingConfig

__all__ = ["ArithmeticTraining", "RoutedTraining"]


class ArithmeticTraining(TrainingConfig):
    """Full batches by default, and penalties on how the answers change over the inputs."""

    lambda_spectral: Annotated[float, Field(ge=0, json_schema_extra={"slug": "ls"})] = 0.0
    """Coefficient of the penalty on the share of high frequencies in the expected answer over all pairs."""
    spectral_k: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "lsk"})] = None
    """Frequencies up to which the answer counts as smooth; None: a quarter of the modulus."""
    spectral_interval: Annotated[int, Field(ge=1, json_schema_extra={"slug": "lsi"})] = 100
    """Updates from one with that penalty to the next."""
    spectral_exclude_constant: Annotated[bool, Field(json_schema_extra={"slug": "lsac"})] = False
    """Whether the mean answer is left out of it; else it falls when the same is predicted everywhere."""
    spectral_keep_mean: Annotated[bool, Field(json_schema_extra={"slug": "lsm"})] = False
    """Whether its coefficient is multiplied by that interval, as if a part of it were there at every update."""
    lambda_jacobian: Annotated[float, Field(ge=0, json_schema_extra={"slug": "lj"})] = 0.0
    """Coefficient of the penalty on the squared length of the Jacobian of the logits by the input."""


@final
class RoutedTraining(ArithmeticTraining):
    """And a penalty on undecided routing."""

    routing_regularizer: Annotated[
        Literal["none", "entropy", "sparsity", "gini", "consistency"], Field(json_schema_extra={"slug": "reg"})
    ] = "entropy"
    """What of the routing weights is made small; each but the last pushes every input towards a single head."""
    lambda_routing: Annotated[float, Field(ge=0, json_schema_extra={"slug": "lrout"})] = 0.01
    """Its coefficient."""
    gini_normalised: Annotated[bool, Field(json_schema_extra={"slug": "gn"})] = False
    """Whether 'gini' is divided by its largest value, so that 0 is a single head."""
