"""A checkpoint that another variant is built on, as its family is given it; read when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, final

from miscope.asked_activations import AskedActivations
from miscope.errors import UnknownName
from miscope.forward import activations
from miscope.model import by_position, cast
from miscope.source import Source

if TYPE_CHECKING:
    from pydantic import BaseModel
    from torch import Tensor

    from miscope.basis import Basis
    from miscope.checkpoint import Checkpoint
    from miscope.model import Model
    from miscope.probe import Probe

__all__ = ["OpenedSource", "SourceCheckpoint"]


def _nothing_sampled(seed: int, step: int, count: int) -> None:
    return None


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedSource:
    """Another variant, opened at a checkpoint."""

    model: Model
    probe: Callable[[], Probe]
    """Its first probe."""
    bases: Callable[[], Mapping[str, Basis]]
    """Its task bases, by the axis or column each belongs to."""
    width: Callable[[str], int]
    """Size of the last axis at a site."""
    params: BaseModel
    """As its family checked them."""
    checkpoint: Checkpoint
    network: str = ""
    """A digest of what the network is beside its weights."""
    kept: Callable[[AskedActivations], Tensor] = AskedActivations.computed
    """What has activations, or computes them."""
    sampled: Callable[[int, int, int], Tensor | None] = _nothing_sampled
    """(seed, step, count) -> inputs drawn anew; None where its family has none."""


@final
class SourceCheckpoint:
    """The network, the probe, the task bases, the parameters and the weights of a source.

    Each raises BadValue where the source is gone, or is not what was built on.
    """

    def __init__(self, source: Source, opened: Callable[[], OpenedSource]) -> None:
        """opened: the other variant and its checkpoint; raises BadValue where they are not what is built on."""
        self.source, self._open = source, opened

    @cached_property
    def _opened(self) -> OpenedSource:
        return self._open()

    @property
    def model(self) -> Model:
        """The other variant's network."""
        return self._opened.model

    @property
    def probe(self) -> Probe:
        """The other variant's first probe."""
        return self._opened.probe()

    @property
    def bases(self) -> Mapping[str, Basis]:
        """The other variant's task bases, by the axis or column each belongs to; {} where its family knows none."""
        return MappingProxyType(dict(self._opened.bases()))

    @property
    def params(self) -> BaseModel:
        """The other variant's parameters, as its family checked them."""
        return self._opened.params

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """By role, float32."""
        return self._weights

    @cached_property
    def _weights(self) -> Mapping[str, Tensor]:
        import torch

        # Whoever looks at the variant that is built on it is shown the same.
        return MappingProxyType(cast(self._opened.checkpoint.weights, torch.float32))

    @property
    def width(self) -> int:
        """Size of the last axis at the site."""
        self._check_site()
        return self._opened.width(self.source.site)

    def sampled(self, seed: int, step: int, count: int) -> Tensor | None:
        """(count, ...) inputs that the other variant's family draws anew, as `Family.sampled` has them; else None."""
        return self._opened.sampled(seed, step, count)

    def activations(
        self, inputs: Tensor | None = None, *, positions: Literal["answer", "all"] = "answer", kept: bool = True
    ) -> Tensor:
        """(N, ...) float32 at the site and the answer position, of these inputs; None for the probe's.

        positions: 'all' for (N, position, ...), of attention by the query's position. kept: whether they may lie in the
        workspace's cache; not for inputs that nobody asks for again. Raises UnknownName where the network has no such
        site.
        """
        self._check_site()
        site = self.source.site
        asked = AskedActivations(
            network=self._opened.network,
            weights=self.weights,
            inputs=self.probe.inputs if inputs is None else inputs,
            site=site,
            positions=positions,
            compute=lambda shown: self._computed(shown, positions),
        )
        return self._opened.kept(asked) if kept else asked.computed()

    def _computed(self, inputs: Tensor, positions: Literal["answer", "all"]) -> Tensor:
        site = self.source.site
        if positions == "answer":
            return activations(self.model.answers, self.weights, inputs, [site])[site]
        return by_position(site, activations(self.model.run, self.weights, inputs, [site])[site])

    def _check_site(self) -> None:
        if self.source.site not in self.model.sites:
            sites = sorted(self.model.sites)
            raise UnknownName(
                "site", self.source.site, sites, listing=f"{self.source.variant} has: {', '.join(sites)}."
            )
