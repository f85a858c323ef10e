"""Which of many numbers are the largest, by way of a sample of them."""

from __future__ import annotations

from torch import Tensor

__all__ = ["largest"]

_STRIDE = 61
"""Every so many numbers are in the sample: prime, so that it goes through all columns of a table."""
_MARGIN, _LEAST = 1.15, 16
"""So many more of the sample than their share are taken for a bound, and these beside."""


def largest(values: Tensor, count: int) -> Tensor:
    """(count,) int64, where the `count` largest of (n,) numbers are, in no order.

    Those of a sample bound what the largest can be, so that few are left to choose among; where the bound is too high
    it is done without.
    """
    sample = values[::_STRIDE]
    share = int(_MARGIN * count / _STRIDE) + _LEAST
    if share >= len(sample):
        return values.topk(count, sorted=False).indices
    bound = sample.topk(share, sorted=False).values.min()
    above = (values >= bound).nonzero()[:, 0]
    if len(above) < count:
        return values.topk(count, sorted=False).indices
    return above[values[above].topk(count, sorted=False).indices]
