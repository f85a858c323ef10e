"""Adam's update: what it is made of, and how it is taken back (Kingma & Ba 2015; Loshchilov & Hutter 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Averages", "before_update"]


class Averages(NamedTuple):
    """What Adam remembers of a weight after an update; float64 tensors of its shape."""

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

    @property
    def root(self) -> Tensor:
        """sqrt(v)."""
        return self.square.sqrt()

    @property
    def root_hat(self) -> Tensor:
        """sqrt(v / (1 - beta2^t))."""
        return self.root / self.corrections[1] ** 0.5

    @property
    def update(self) -> Tensor:
        """m_hat / (sqrt(v_hat) + eps): times the rate it is what the weight is lowered by, apart from the decay."""
        return self.mean_hat / (self.root_hat + self.eps)


def before_update(weight: Tensor, update: Tensor, *, rate: float, decay: float) -> Tensor:
    """The weight that this one was made of by w' = (1 - rate decay) w - rate update.

    decay: of AdamW; 0 where the decay is part of the gradient. Exact but for the rounding of the weight.
    """
    return (weight + rate * update) / (1 - rate * decay)
