"""Activations of checkpoints whose features are known, with when each is born, dies and turns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import Field

from miscope import HookedModel, Params, Role, Variant
from miscope.checkpoint_source import CheckpointSource
from miscope.lazily import torch
from miscope_sae.known.drawn_family import DrawnFamily, drawn_sizes
from miscope_sae.known.features import DICTIONARY, SITE
from miscope_sae.known.lives import Lives, drawn_lives

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["KnownBirthsFamily", "KnownBirthsParams"]

BIAS, NOISE = "b_E", "W_noise"


@final
class KnownBirthsParams(Params):
    """How many features, how long they live, and how often each is on."""

    features: Annotated[int, Field(ge=1)] = 48
    """Directions, as orthogonal as that many can be."""
    width: Annotated[int, Field(ge=2, json_schema_extra={"slug": "d"})] = 24
    """Dimensions of an activation."""
    checkpoints: Annotated[int, Field(ge=3)] = 6
    """Steps 0, 1, 2 and on."""
    present: Annotated[int, Field(ge=0)] = 12
    """Features that are there from the first checkpoint; the others are born later, at half their strength."""
    turning: Annotated[float, Field(ge=0, le=1, json_schema_extra={"slug": "turn"})] = 0.25
    """Chance of a feature to turn, by 60 degrees from the first checkpoint to the last."""
    dying: Annotated[float, Field(ge=0, le=1, json_schema_extra={"slug": "die"})] = 0.15
    """Chance of a feature to die."""
    noise: Annotated[float, Field(ge=0)] = 0.02
    """Standard deviation of what is added to every number, at each checkpoint for itself."""
    probability: Annotated[float, Field(gt=0, le=1, json_schema_extra={"slug": "p"})] = 0.04
    """That a feature is on at an input, whatever the others are; its size is then between 0.5 and 1.5."""
    inputs: Annotated[int, Field(ge=2)] = 20_000
    """Inputs of the probe."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of lives, directions and inputs."""


@final
class KnownBirthsFamily(DrawnFamily):
    """x_t = sum of f_i w_it + b_t + noise: what a crosscoder should find are the w_it. Nothing is trained.

    `W_E` at each step has them, (features, width), of norm 0 where a feature is not there. An input's numbers are the
    f_i, then the noise of each checkpoint.
    """

    name = "sae.known-births"
    title = "Activations of features that are born, turn and die, to try crosscoders on"
    params = KnownBirthsParams

    def model(self, params: Any) -> HookedModel:
        from miscope_sae.known.network import NoisyNetwork

        width = params.width
        roles = [
            Role(name=DICTIONARY, axes=("feature", "d_model"), shape=(params.features, width)),
            Role(name=NOISE, axes=("number", "d_model"), shape=(params.checkpoints * width, width)),
            Role(name=BIAS, axes=("d_model",), shape=(width,)),
        ]
        net = NoisyNetwork(params)
        return HookedModel(net, roles=roles, sites={SITE: net}, place=dict)

    def drawn_inputs(self, params: Any, count: int, seed: int) -> Tensor:
        """(count, features and noise): which features are on, and how much; then the noise."""
        generator = torch.Generator().manual_seed(seed)
        sizes = drawn_sizes((count, params.features), params.probability, generator)
        noise = torch.randn(count, params.checkpoints * params.width, generator=generator)
        return torch.cat([sizes, noise], dim=1)

    def checkpoints(self, variant: Variant) -> CheckpointSource:
        return _Drawn(variant.params)


@final
class _Drawn(CheckpointSource):
    """The dictionary at each step."""

    def __init__(self, params: Any) -> None:
        self._params = params

    def steps(self) -> Sequence[int]:
        return range(self._params.checkpoints)

    def load(self, step: int, roles: Collection[str] | None) -> Mapping[str, Tensor]:
        lives, width = self._lives, self._params.width
        noise = torch.zeros(self._params.checkpoints * width, width)
        noise[step * width : (step + 1) * width] = self._params.noise * torch.eye(width)
        return {DICTIONARY: lives.dictionary[step], NOISE: noise, BIAS: lives.bias[step]}

    @cached_property
    def _lives(self) -> Lives:
        return drawn_lives(self._params)
