"""A variant together with what its family says of it, each part built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope.basis import Basis
from miscope.errors import UnknownName
from miscope.family import Family
from miscope.probe import Probe
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.model import Model
    from miscope.source_checkpoint import SourceCheckpoint
    from miscope.task import Task

__all__ = ["ModelContext"]


@final
class ModelContext:
    """Model, probes, bases and task of one variant, made when first asked for, and what it is built on."""

    def __init__(self, family: Family, variant: Variant, sources: Sequence[SourceCheckpoint] = ()) -> None:
        """sources: those that the family was given and that have a site, in the order in which it names them."""
        self.family, self.variant, self.sources = family, variant, tuple(sources)
        self._widths: dict[str, int] = {}

    @cached_property
    def model(self) -> Model:
        return self.family.model(self.variant.params)

    @cached_property
    def probes(self) -> Mapping[str, Probe]:
        return self.family.probes(self.variant)

    @cached_property
    def bases(self) -> Mapping[str, Basis]:
        return self.family.bases(self.variant.params)

    @cached_property
    def task(self) -> Task | None:
        return self.family.task(self.variant)

    def probe(self, name: str | None = None) -> Probe:
        """The probe of that name, or the family's first; UnknownName with those there are."""
        if name is None:
            return next(iter(self.probes.values()))
        if name not in self.probes:
            raise UnknownName(
                "probe", name, self.probes, listing=f"{self.variant.family} has: {', '.join(self.probes)}."
            )
        return self.probes[name]

    def width(self, site: str) -> int:
        """Size of the last axis of a site's activation: how many channels it has. Runs one input, once."""
        if site not in self._widths:
            import torch

            weights = {name: torch.zeros(role.shape) for name, role in self.model.roles.items()}
            with torch.no_grad():
                seen = self.model.answers(weights, self.probe().inputs[:1], [site])
            self._widths[site] = int(seen[site].shape[-1])
        return self._widths[site]
