"""An autoencoder as a network with sites, named as SAELens names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import Model, Role
from miscope.lazily import torch
from miscope_sae.architecture import AXES, Architecture, Weights
from miscope_sae.params import Normalisation
from miscope_sae.roles import ENCODER
from miscope_sae.rows.normalisation import Scale, normalised
from miscope_sae.sites import BEFORE, BY_LATENTS, BY_SKIP, ERROR, INPUT, LATENTS, RECONSTRUCTED, TARGET

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Activations, Hook

__all__ = ["AutoencoderModel"]

_ORDER = (INPUT, TARGET, BEFORE, LATENTS, RECONSTRUCTED, ERROR, BY_LATENTS, BY_SKIP)
_OF_SKIPS = frozenset((BY_LATENTS, BY_SKIP))


@final
class AutoencoderModel(Model):
    """Runs no further than the sites asked for. Inputs, reconstructions and errors are as the source has them; latents
    are of the normalised inputs."""

    def __init__(
        self,
        architecture: Architecture,
        shapes: Mapping[str, tuple[int, ...]],
        mode: Normalisation,
        scales: Callable[[], Sequence[Scale]],
        axes: Mapping[str, tuple[str, ...]] = AXES,
    ) -> None:
        """shapes: of each role. scales: what 'constant_norm' multiplies by, inputs and, of a transcoder, what is to be
        reconstructed: one number, or one for each of an input's; asked for when something is run. axes: what those of
        each role count."""
        self.architecture, self._scales_of = architecture, scales
        self.width = shapes[ENCODER][0]
        self._mode: Normalisation = mode
        self._roles = {name: Role(name=name, axes=axes[name], shape=shape) for name, shape in shapes.items()}

    @property
    def roles(self) -> Mapping[str, Role]:
        return self._roles

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(_ORDER) - (frozenset() if self.architecture.skips else _OF_SKIPS)

    @cached_property
    def scales(self) -> Sequence[Scale]:
        """What 'constant_norm' multiplies inputs and, of a transcoder, what is to be reconstructed by; else 1."""
        return self._scales_of() if self._mode == "constant_norm" else (1.0,)

    def parted(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(B, d) what is encoded, and (B, d_out) what is to be reconstructed: of an autoencoder the same."""
        if inputs.shape[1] == self.width:
            return inputs, inputs
        return inputs[:, : self.width], inputs[:, self.width :]

    def normalised(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The same, as they are encoded and as reconstructions are compared with them."""
        given, wanted = self.parted(inputs)
        x = normalised(self._mode, self.scales[0], given)[0]
        return x, x if wanted is given else normalised(self._mode, self.scales[-1], wanted)[0]

    def run(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        """As a network with one position, (batch, 1, ...)."""
        changes = [(name, lambda given, change=change: change(given[:, None])[:, 0]) for name, change in hooks]
        return {name: found[:, None] for name, found in self._run(weights, inputs, sites, changes).items()}

    def answers(
        self,
        weights: Weights,
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        found = (
            {name: found[:, 0] for name, found in self.run(weights, inputs, sites, hooks=hooks).items()}
            if (hooks := tuple(hooks))
            else self._run(weights, inputs, sites, [])
        )
        return found if channels is None else {name: each[..., list(channels)] for name, each in found.items()}

    def _run(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], hooks: Sequence[Hook]
    ) -> dict[str, Tensor]:
        last = max((_ORDER.index(site) for site in sites), default=-1)
        found: dict[str, Tensor] = {}

        def at(site: str, value: Tensor) -> Tensor:
            for name, change in hooks:
                value = change(value) if name == site else value
            if site in sites:
                found[site] = value
            return value

        given, wanted = self.parted(inputs)
        alike = wanted is given
        given = at(INPUT, given)
        wanted = at(TARGET, given if alike else wanted)
        if last < _ORDER.index(BEFORE):
            return found
        x, undo = normalised(self._mode, self.scales[0], given)
        before = at(BEFORE, self.architecture.before(weights, x))
        if last < _ORDER.index(LATENTS):
            return found
        latents = at(LATENTS, self.architecture.latents(weights, before))
        if last < _ORDER.index(RECONSTRUCTED):
            return found
        if not alike:
            _, undo = normalised(self._mode, self.scales[-1], wanted)
        reconstructed = at(RECONSTRUCTED, undo(self.architecture.reconstructed(weights, latents, x)))
        at(ERROR, wanted - reconstructed)
        if self.architecture.skips and last >= _ORDER.index(BY_LATENTS):
            none = torch.zeros_like(latents)
            at(BY_LATENTS, undo(self.architecture.decoded(weights, latents)))
            at(BY_SKIP, undo(self.architecture.reconstructed(weights, none, x)))
        return found
