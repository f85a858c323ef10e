"""Random examples, each once, parted into those trained on and those held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Examples, Variant
from miscope.errors import BadValue

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["distinct", "fraction_of", "split", "train_count"]


def distinct(rows: Tensor) -> Tensor:
    """Numbers of the rows of (n, ...) that no earlier row equals, ascending."""
    import torch

    _, first = np.unique(rows.numpy(), axis=0, return_index=True)
    return torch.from_numpy(np.sort(first))


def fraction_of(variant: Variant) -> float:
    """The share of its examples that a variant is trained on."""
    assert variant.training is not None, "the families that draw their examples are trained here"
    return variant.training.train_fraction


def train_count(total: int, fraction: float) -> int:
    """How many of `total` examples are trained on; BadValue if that leaves nothing to train or to test on."""
    count = int(total * fraction)
    if 0 < count < total:
        return count
    raise BadValue(
        f"train_fraction={fraction:g} of {total} examples leaves nothing to {'train on' if count == 0 else 'test on'}.",
        f"It makes {count} training examples.",
        "Ask for more examples, or choose another train_fraction.",
    )


def split(inputs: Tensor, labels: Tensor, fraction: float) -> tuple[Examples, Examples]:
    """The first part to train on, the rest to test on: the rows are in random order already."""
    count = train_count(len(inputs), fraction)
    return (
        Examples(inputs=inputs[:count], labels=labels[:count]),
        Examples(inputs=inputs[count:], labels=labels[count:]),
    )
