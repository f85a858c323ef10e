"""A model whose exact shortcut answers before the network itself has to be built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias, final

from miscope.lazily import torch
from miscope.model import Activations, Hook, HookedModel, Model, Role, Shortcut, at_answers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OpenPass", "ShortcutModel"]

Weights: TypeAlias = "Mapping[str, Tensor]"


class OpenPass(Protocol):
    """The network's own arithmetic, every site open to hooks; as `Model.run`."""

    def __call__(
        self,
        weights: Weights,
        inputs: Tensor,
        sites: Collection[str],
        *,
        hooks: Iterable[Hook] = (),
        answer_only: bool = False,
    ) -> Activations:
        """answer_only: what no hook sees and nobody records may be computed for the last position alone."""
        ...


@final
class ShortcutModel(Model):
    """The hooked network of `build`, made when nothing else will do (importing TransformerLens takes seconds)."""

    def __init__(
        self,
        build: Callable[[], HookedModel],
        *,
        roles: Iterable[Role],
        sites: Collection[str],
        shortcut: Shortcut,
        open_pass: OpenPass | None = None,
    ) -> None:
        """open_pass: what runs instead of the network to look at it. Trainings under hooks run the network itself:
        its rounding is that of everybody's trainings, on which a replay depends."""
        self._build, self._open_pass = build, open_pass
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
        changes = tuple(hooks)
        if changes or self._open_pass is None or torch.is_grad_enabled():
            return self.hooked.run(weights, inputs, sites, hooks=changes)
        return self._open_pass(weights, inputs, sites)

    def answers(
        self,
        weights: Weights,
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        changes = tuple(hooks)
        if self.shortcut.serves(sites, inputs, changes):
            return self.shortcut.run(weights, inputs, sites, channels)
        if self._open_pass is None or torch.is_grad_enabled():
            return self.hooked.answers(weights, inputs, sites, channels=channels, hooks=changes)
        return at_answers(self._open_pass(weights, inputs, sites, hooks=changes, answer_only=True), channels)
