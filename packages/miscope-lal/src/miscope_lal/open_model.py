"""A network that is a function of its weights, every site of it open to hooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, final

from miscope.lazily import torch
from miscope.model import Activations, Hook, Model, Role, at_answers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ROWS", "OpenModel", "Run"]

ROWS = 1024
"""Inputs run at a time where nobody looks at what lies between, so that their activations stay in the cache."""


class Run(Protocol):
    """As `Model.run`."""

    def __call__(
        self, weights: Mapping[str, Tensor], inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations: ...


@final
class OpenModel(Model):
    """The model of a function that gives activations by site, and takes what replaces them on the way."""

    def __init__(self, run: Run, *, roles: Iterable[Role], sites: Collection[str]) -> None:
        self._run = run
        self._roles = {role.name: role for role in roles}
        self._sites = frozenset(sites)

    @property
    def roles(self) -> Mapping[str, Role]:
        return self._roles

    @property
    def sites(self) -> frozenset[str]:
        return self._sites

    def run(
        self, weights: Mapping[str, Tensor], inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()
    ) -> Activations:
        return self._run(weights, inputs, sites, hooks=hooks)

    def answers(
        self,
        weights: Mapping[str, Tensor],
        inputs: Tensor,
        sites: Collection[str],
        *,
        channels: Sequence[int] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> Activations:
        changes = tuple(hooks)
        # A hook may look at all inputs at once.
        parts = [inputs] if changes else inputs.split(ROWS)
        found = [at_answers(self._run(weights, part, sites, hooks=changes), channels) for part in parts]
        return found[0] if len(found) == 1 else {name: torch.cat([part[name] for part in found]) for name in found[0]}
