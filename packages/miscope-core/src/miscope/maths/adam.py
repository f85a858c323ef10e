"""Adam's update: what it is made of, and how it is taken back (Kingma & Ba 2015; Loshchilov & Hutter 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Averages", "angle_between", "before_update", "clip_factor", "equilibrium_angle", "newest_gradient"]


@final
@dataclass(frozen=True, eq=False)
class Averages:
    """What Adam remembers of a weight after an update; float64 tensors of its shape. What follows is computed once."""

    mean: Tensor
    """m: moving average of the gradient."""
    square: Tensor
    """v: moving average of the squared gradient; with AMSGrad the largest there was."""
    updates: int
    """t: how many were made, 1 or more."""
    betas: tuple[float, float]
    eps: float

    @property
    def corrections(self) -> tuple[float, float]:
        """1 - beta^t of both: what an average that began at 0 lacks."""
        return 1 - self.betas[0] ** self.updates, 1 - self.betas[1] ** self.updates

    @property
    def mean_hat(self) -> Tensor:
        """m / (1 - beta1^t)."""
        return self.mean / self.corrections[0]

    @cached_property
    def root(self) -> Tensor:
        """sqrt(v)."""
        return self.square.sqrt()

    @cached_property
    def root_hat(self) -> Tensor:
        """sqrt(v / (1 - beta2^t))."""
        return self.root / self.corrections[1] ** 0.5

    @cached_property
    def update(self) -> Tensor:
        """m_hat / (sqrt(v_hat) + eps): times the rate it is what the weight is lowered by, apart from the decay."""
        return self.mean_hat / (self.root_hat + self.eps)


def before_update(weight: Tensor, update: Tensor, *, rate: float, decay: float) -> Tensor:
    """The weight that this one was made of by w' = (1 - rate decay) w - rate update.

    decay: of AdamW; 0 where the decay is part of the gradient. Exact but for the rounding of the weight.
    """
    return (weight + rate * update) / (1 - rate * decay)


def newest_gradient(mean: Tensor, mean_before: Tensor, beta: float) -> Tensor:
    """The gradient that turned the average from what it was before the update into this one; clipped, where it was."""
    return (mean - beta * mean_before) / (1 - beta)


def clip_factor(norm: float, most: float | None) -> float:
    """What a gradient of that norm is multiplied by where it is clipped to `most`, as `clip_grad_norm_` does it."""
    return 1.0 if most is None else min(1.0, most / (norm + 1e-6))


def angle_between(one: Tensor, other: Tensor) -> float:
    """Radians, 0 to pi, exact for small angles too (Kahan); NaN where either is zero."""
    lengths = float(one.norm()), float(other.norm())
    if not all(lengths):
        return math.nan
    unit, unit_other = one / lengths[0], other / lengths[1]
    return 2 * math.atan2(float((unit - unit_other).norm()), float((unit + unit_other).norm()))


def equilibrium_angle(rate: float, decay: float, beta: float = 0.0) -> float:
    """Root mean square of the angle per update, in radians, at which weights turn once update and decay balance.

    sqrt(2 rate decay (1 - beta) / (1 + beta)), of AdamW's weights whose scale the function does not see, under
    gradients independent from update to update, with beta the decay rate of the averaged gradient; at 0 sqrt(2 rate
    decay), what each gradient adds in all (Kosson et al. 2023, arXiv 2305.17212, table 1). NaN without decay.
    """
    return math.sqrt(2 * rate * decay * (1 - beta) / (1 + beta)) if decay > 0 else math.nan
