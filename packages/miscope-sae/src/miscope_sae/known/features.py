"""Activations whose features are known: sparse sums of almost orthogonal directions, to try autoencoders on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import Field

from miscope import HookedModel, Params, Role, Variant
from miscope.checkpoint_source import CheckpointSource
from miscope.lazily import torch
from miscope_sae.known.drawn_family import DrawnFamily, drawn_sizes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["KnownFeaturesFamily", "KnownFeaturesParams", "almost_orthogonal"]

SITE, DICTIONARY = "hook_embed", "W_E"
SITE_OUT, DICTIONARY_OUT = "hook_out", "W_out"
_ROUNDS, _RATE = 200, 0.05


@final
class KnownFeaturesParams(Params):
    """How many features in how many dimensions, and how often each is there."""

    features: Annotated[int, Field(ge=1)] = 64
    """Directions, as orthogonal as that many can be."""
    width: Annotated[int, Field(ge=1, json_schema_extra={"slug": "d"})] = 32
    """Dimensions of an activation."""
    probability: Annotated[float, Field(gt=0, le=1, json_schema_extra={"slug": "p"})] = 0.03
    """That a feature is on at an input, whatever the others are; its size is then between 0.5 and 1.5."""
    inputs: Annotated[int, Field(ge=2)] = 20_000
    """Inputs of the probe."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of directions and inputs."""
    width_out: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "out"})] = None
    """Dimensions of a second site, to which features write in directions of their own; None: there is none."""


@final
class KnownFeaturesFamily(DrawnFamily):
    """x = sum of f_i a_i: what an autoencoder should find are the a_i. Nothing is trained.

    With `width_out` y = sum of f_i b_i + 0.3 too: what a transcoder from x to y should find are the b_i.
    """

    name = "sae.known-features"
    title = "Activations of known features, to try autoencoders on"
    params = KnownFeaturesParams

    def model(self, params: Any) -> HookedModel:
        from miscope_sae.known.network import KnownNetwork

        shape = (params.features, params.width)
        roles, net = [Role(name=DICTIONARY, axes=("feature", "d_model"), shape=shape)], KnownNetwork(params)
        if params.width_out is None:
            return HookedModel(net, roles=roles, sites={SITE: net}, place=dict)
        shape = (params.features, params.width_out)
        roles.append(Role(name=DICTIONARY_OUT, axes=("feature", "d_out"), shape=shape))
        return HookedModel(net, roles=roles, sites={SITE: net, SITE_OUT: net.hook_out}, place=dict)

    def drawn_inputs(self, params: Any, count: int, seed: int) -> Tensor:
        """(count, features): which features are on, and how much."""
        return drawn_sizes((count, params.features), params.probability, torch.Generator().manual_seed(seed))

    def checkpoints(self, variant: Variant) -> CheckpointSource:
        return _Drawn(variant.params)


@final
class _Drawn(CheckpointSource):
    """The dictionary at step 0."""

    def __init__(self, params: Any) -> None:
        self._params = params

    def steps(self) -> Sequence[int]:
        return (0,)

    def load(self, step: int, roles: Collection[str] | None) -> Mapping[str, Tensor]:
        count, width_out, seed = self._params.features, self._params.width_out, self._params.seed
        weights = {DICTIONARY: almost_orthogonal(count, self._params.width, seed)}
        if width_out is not None:
            weights[DICTIONARY_OUT] = almost_orthogonal(count, width_out, seed + 2)
        return weights


def almost_orthogonal(count: int, width: int, seed: int) -> Tensor:
    """(count, width) unit vectors whose squared cosines were made small by gradient descent."""
    drawn = torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    at = (drawn / drawn.norm(dim=1, keepdim=True)).requires_grad_()
    optimizer = torch.optim.Adam([at], lr=_RATE)
    with torch.enable_grad():
        for _ in range(_ROUNDS):
            unit = at / at.norm(dim=1, keepdim=True)
            loss = (unit @ unit.T).fill_diagonal_(0).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return (at / at.norm(dim=1, keepdim=True)).detach()
