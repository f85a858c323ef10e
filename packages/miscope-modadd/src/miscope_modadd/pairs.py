"""All pairs (a, b), which of them are trained on, and what is known about them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Basis, Examples, Probe
from miscope.errors import BadValue
from miscope.fourier import fourier_basis

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["bases", "examples", "grid_probe", "pairs", "paper_split", "random_split"]


def pairs(prime: int, *, equals: bool) -> Tensor:
    """Every pair in row-major order, (prime², 2) int64; with `equals`, the token '=' (number prime) behind it."""
    import torch

    both = torch.cartesian_prod(torch.arange(prime), torch.arange(prime))
    return torch.cat([both, torch.full((len(both), 1), prime)], dim=1) if equals else both


def random_split(prime: int, fraction: float, seed: int) -> Tensor:
    """Row numbers of the training pairs, in the order drawn: a random permutation's first part."""
    import torch

    order = torch.randperm(prime**2, generator=torch.Generator().manual_seed(seed))
    return order[: _count(prime, fraction)]


def paper_split(prime: int, fraction: float, seed: int) -> Tensor:
    """Row numbers of the training pairs as Nanda et al. 2023 draw them: Python's own shuffle of the list of pairs."""
    import torch

    order = list(range(prime**2))
    random.Random(seed).shuffle(order)
    return torch.tensor(order[: _count(prime, fraction)])


def examples(inputs: Tensor, labels: Tensor, train: Tensor) -> tuple[Examples, Examples]:
    """Training examples in the order drawn, and all the others in row-major order."""
    import torch

    rest = torch.ones(len(inputs), dtype=torch.bool)
    rest[train] = False
    return Examples(inputs=inputs[train], labels=labels[train]), Examples(inputs=inputs[rest], labels=labels[rest])


def grid_probe(inputs: Tensor, train: Tensor) -> Probe:
    """Every pair in row-major order, with a, b and their sum as columns, and the swap that leaves the answer alone."""
    import torch

    a, b = inputs[:, 0].numpy(), inputs[:, 1].numpy()
    prime = int(a.max()) + 1
    mask = np.zeros(len(a), dtype=bool)
    mask[train.numpy()] = True
    return Probe(
        name="grid",
        inputs=inputs,
        labels=torch.from_numpy((a + b) % prime),
        columns={"a": a, "b": b, "sum": (a + b) % prime},
        grid=("a", "b"),
        train=mask,
        symmetries={"swap": b * prime + a},
    )


def bases(prime: int, *names: str) -> Mapping[str, Basis]:
    """The Fourier basis for these axes and columns."""
    basis = fourier_basis(prime)
    return {name: basis for name in names}


def _count(prime: int, fraction: float) -> int:
    count = int(prime**2 * fraction)
    if 0 < count < prime**2:
        return count
    raise BadValue(
        f"train_fraction={fraction:g} of {prime**2} pairs leaves nothing to {'train on' if count == 0 else 'test on'}.",
        f"It makes {count} training pairs.",
        "Choose a larger prime, or another train_fraction.",
    )
