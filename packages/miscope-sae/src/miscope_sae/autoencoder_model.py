"""An autoencoder as a network with sites, named as SAELens names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope import Model, Role
from miscope_sae.architecture import AXES, Architecture, Weights
from miscope_sae.normalisation import normalised
from miscope_sae.params import Normalisation

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Activations, Hook

__all__ = ["BEFORE", "ERROR", "INPUT", "LATENTS", "RECONSTRUCTED", "AutoencoderModel"]

INPUT, BEFORE, LATENTS = "hook_sae_input", "hook_sae_acts_pre", "hook_sae_acts_post"
RECONSTRUCTED, ERROR = "hook_sae_recons", "hook_sae_error"

_ORDER = (INPUT, BEFORE, LATENTS, RECONSTRUCTED, ERROR)


@final
class AutoencoderModel(Model):
    """Runs no further than the sites asked for. Inputs, reconstructions and errors are as the source has them; latents
    are of the normalised inputs."""

    def __init__(
        self,
        architecture: Architecture,
        shapes: Mapping[str, tuple[int, ...]],
        mode: Normalisation,
        scale: Callable[[], float],
        axes: Mapping[str, tuple[str, ...]] = AXES,
    ) -> None:
        """shapes: of each role. scale: what 'constant_norm' multiplies by; asked for when something is run. axes: what
        those of each role count."""
        self.architecture, self._scale_of = architecture, scale
        self._mode: Normalisation = mode
        self._roles = {name: Role(name=name, axes=axes[name], shape=shape) for name, shape in shapes.items()}

    @property
    def roles(self) -> Mapping[str, Role]:
        return self._roles

    @property
    def sites(self) -> frozenset[str]:
        return frozenset(_ORDER)

    @cached_property
    def scale(self) -> float:
        """What 'constant_norm' multiplies inputs by; 1 in the other modes."""
        return self._scale_of() if self._mode == "constant_norm" else 1.0

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

        given = at(INPUT, inputs)
        if last < 1:
            return found
        x, undo = normalised(self._mode, self.scale, given)
        before = at(BEFORE, self.architecture.before(weights, x))
        if last < 2:
            return found
        latents = at(LATENTS, self.architecture.latents(weights, before))
        if last < 3:
            return found
        reconstructed = at(RECONSTRUCTED, undo(self.architecture.decoded(weights, latents)))
        if last == 4:
            at(ERROR, given - reconstructed)
        return found
