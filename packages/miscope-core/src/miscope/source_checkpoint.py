"""A checkpoint that another variant is built on, as its family is given it; read when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, final

from miscope.errors import UnknownName
from miscope.forward import activations
from miscope.model import cast
from miscope.source import Source

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.checkpoint import Checkpoint
    from miscope.model import Model
    from miscope.probe import Probe
    from miscope.subject import Subject

__all__ = ["SourceCheckpoint"]


@final
class SourceCheckpoint:
    """The network, the probe and the weights of a source."""

    def __init__(self, source: Source, opened: Callable[[], tuple[Subject, Checkpoint]]) -> None:
        """opened: the other variant and its checkpoint; raises BadValue where they are not what is built on."""
        self.source, self._open = source, opened

    @cached_property
    def _opened(self) -> tuple[Subject, Checkpoint]:
        return self._open()

    @property
    def model(self) -> Model:
        """The other variant's network."""
        return self._opened[0].model

    @property
    def probe(self) -> Probe:
        """The other variant's first probe."""
        return self._opened[0].probe()

    @cached_property
    def weights(self) -> Mapping[str, Tensor]:
        """By role, float32."""
        import torch

        return cast(self._opened[1].weights, torch.float32)

    @property
    def width(self) -> int:
        """Size of the last axis at the site."""
        self._check_site()
        return self._opened[0].width(self.source.site)

    def activations(self, inputs: Tensor | None = None) -> Tensor:
        """(N, ...) float32 at the site and the answer position, of these inputs; None for the probe's.

        Raises UnknownName where the network has no such site.
        """
        self._check_site()
        shown = self.probe.inputs if inputs is None else inputs
        return activations(self.model.answers, self.weights, shown, [self.source.site])[self.source.site]

    def _check_site(self) -> None:
        if self.source.site not in self.model.sites:
            sites = sorted(self.model.sites)
            raise UnknownName(
                "site", self.source.site, sites, listing=f"{self.source.variant} has: {', '.join(sites)}."
            )
