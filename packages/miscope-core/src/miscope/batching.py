"""Which training examples an update sees: a function of the step alone, so that resuming needs no memory of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["rows_of_batch"]


def rows_of_batch(step: int, *, count: int, size: int, seed: int) -> Tensor:
    """Rows of the batch for the update from `step`, (size,) int64; the last of a pass may be shorter.

    Every pass over the `count` examples is in an order of its own, drawn from the seed and the pass's number.
    """
    import torch

    batches = -(-count // size)
    turn, place = divmod(step, batches)
    generator = torch.Generator().manual_seed((seed + turn) % 2**63)
    return torch.randperm(count, generator=generator)[place * size : (place + 1) * size]
