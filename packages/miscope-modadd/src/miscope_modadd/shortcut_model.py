"""A model whose exact shortcut answers before the network itself has to be built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import final

from torch import Tensor

from miscope.model import Activations, Hook, HookedModel, Model, Role, Shortcut

__all__ = ["ShortcutModel"]

Weights = Mapping[str, Tensor]


@final
class ShortcutModel(Model):
    """The hooked network of `build`, made when first run (importing TransformerLens takes seconds)."""

    def __init__(
        self,
        build: Callable[[], HookedModel],
        *,
        roles: Iterable[Role],
        sites: Collection[str],
        shortcut: Shortcut,
        accepts: Callable[[Tensor], bool],
    ) -> None:
        """accepts: whether the shortcut is exact for these inputs; others go through the network."""
        self._build, self._accepts = build, accepts
        self._roles = {role.name: role for role in roles}
        self._sites = frozenset(sites)
        self.shortcut = shortcut

    @property
    def roles(self) -> Mapping[str, Role]:
        return self._roles

    @property
    def sites(self) -> frozenset[str]:
        return self._sites

    @cached_property
    def hooked(self) -> HookedModel:
        """The network itself."""
        return self._build()

    def run(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        return self.hooked.run(weights, inputs, sites, hooks=hooks)

    def answers(
        self, weights: Weights, inputs: Tensor, sites: Collection[str], *, channels: Sequence[int] | None = None
    ) -> Activations:
        if set(sites) <= self.shortcut.sites and self._accepts(inputs):
            return self.shortcut.run(weights, inputs, sites, channels)
        return self.hooked.answers(weights, inputs, sites, channels=channels)
