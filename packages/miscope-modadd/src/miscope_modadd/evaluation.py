"""How well the answers are: the same measure for every modular-addition family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.objective import ForwardPass

__all__ = ["accuracy"]


def accuracy(seen: ForwardPass) -> Mapping[str, Tensor]:
    """The share of inputs whose right answer has the largest logit."""
    right = seen.logits.gather(1, seen.labels[:, None])[:, 0]
    # Comparing with the maximum takes a quarter of the time of finding where it is.
    return {"accuracy": (right >= seen.logits.amax(1)).double().mean()}
