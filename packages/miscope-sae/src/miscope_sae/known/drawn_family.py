"""Activations that are drawn, so that what is to be found in them is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope import Basis, Family, Variant
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["DrawnFamily", "drawn_sizes"]


class DrawnFamily(Family):
    """A family whose weights are drawn: nothing is trained, and its inputs have no basis."""

    def training(self, params: Any) -> None:
        return None

    def task(self, variant: Variant) -> None:
        return None

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}


def drawn_sizes(shape: tuple[int, int], probability: float, generator: Generator) -> Tensor:
    """(inputs, features) how much of each feature there is: 0, or with this probability 0.5 to 1.5."""
    on = torch.rand(shape, generator=generator) < probability
    return on * (0.5 + torch.rand(shape, generator=generator))
