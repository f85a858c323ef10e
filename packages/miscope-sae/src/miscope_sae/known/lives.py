"""When features that are known are born, die and turn, over the checkpoints of a training that never was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.lazily import torch
from miscope_sae.known.features import almost_orthogonal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Lives", "drawn_lives"]

_NEWBORN = 0.5
"""Strength of a feature at the checkpoint at which it is born."""
_TURN = math.pi / 3
"""By how much a feature that turns has turned from the first checkpoint to the last."""
_BIAS = 0.5
"""Norm of what is added at each checkpoint, the same at all inputs."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Lives:
    """Of F features at T checkpoints, in d dimensions."""

    birth: Tensor
    """(F,) the first checkpoint, by its place, at which each is there."""
    death: Tensor
    """(F,) the first at which it no longer is; T where it stays."""
    directions: Tensor
    """(T, F, d) unit vectors."""
    bias: Tensor
    """(T, d)."""

    @property
    def strength(self) -> Tensor:
        """(T, F): 0 where a feature is not there, a half where it is just born, else 1."""
        at = torch.arange(len(self.bias))[:, None]
        there = (at >= self.birth) & (at < self.death)
        return there * torch.where((at == self.birth) & (at > 0), _NEWBORN, 1.0)

    @property
    def dictionary(self) -> Tensor:
        """(T, F, d) what a feature of size 1 adds at each checkpoint."""
        return self.strength[:, :, None] * self.directions


def drawn_lives(params: Any) -> Lives:
    """As the parameters of `sae.known-births` say, drawn from their seed.

    Births after the first checkpoint are at any but the last, deaths two checkpoints after a birth or later.
    """
    generator = torch.Generator().manual_seed(params.seed + 3)
    count, moments, width = params.features, params.checkpoints, params.width
    born = torch.randint(1, max(2, moments - 1), (count,), generator=generator)
    born[: params.present] = 0
    last = torch.rand(count, generator=generator) * (moments - born - 2).clamp(min=0)
    dies = (torch.rand(count, generator=generator) < params.dying) & (born + 2 < moments)
    death = torch.where(dies, born + 2 + last.long(), moments)
    first = almost_orthogonal(count, width, params.seed)
    drawn = torch.randn(count, width, generator=generator)
    across = drawn - (drawn * first).sum(1, keepdim=True) * first
    across = across / across.norm(dim=1, keepdim=True)
    turns = torch.rand(count, generator=generator) < params.turning
    angle = torch.linspace(0, _TURN, moments)[:, None, None] * turns[:, None]
    bias = torch.randn(moments, width, generator=generator)
    return Lives(
        birth=born,
        death=death,
        directions=torch.cos(angle) * first + torch.sin(angle) * across,
        bias=_BIAS * bias / bias.norm(dim=1, keepdim=True),
    )
