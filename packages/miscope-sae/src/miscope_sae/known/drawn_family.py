"""Activations that are drawn, so that what is to be found in them is known."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope import Basis, Family, Probe, Variant
from miscope.lazily import torch
from miscope.sampling import seed_of_draw

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["DrawnFamily", "drawn_sizes"]


class DrawnFamily(Family):
    """A family whose weights are drawn: nothing is trained, and its inputs are drawn too."""

    def training(self, params: Any) -> None:
        return None

    def task(self, variant: Variant) -> None:
        return None

    @abstractmethod
    def drawn_inputs(self, params: Any, count: int, seed: int) -> Tensor:
        """(count, ...) inputs, decided by the seed."""

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        params: Any = variant.params
        return {"features": Probe(name="features", inputs=self.drawn_inputs(params, params.inputs, params.seed + 1))}

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        return self.drawn_inputs(variant.params, count, seed_of_draw(seed, step))

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def drawn_sizes(shape: tuple[int, int], probability: float, generator: Generator) -> Tensor:
    """(inputs, features) how much of each feature there is: 0, or with this probability 0.5 to 1.5."""
    on = torch.rand(shape, generator=generator) < probability
    return on * (0.5 + torch.rand(shape, generator=generator))
