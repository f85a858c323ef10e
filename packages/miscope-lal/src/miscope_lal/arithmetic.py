"""Every question of a task of modular arithmetic and its answer, how they are encoded, and which are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from miscope import Basis, Probe
from miscope.errors import BadValue
from miscope.fourier import fourier_basis
from miscope_lal.params import ArithmeticParams
from miscope_lal.residues import divisor_basis, multiplicative_basis

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ANSWER", "Questions", "bases", "one_hot", "probe", "questions", "split", "tokens"]

ANSWER: Mapping[str, str] = {
    "add": "sum",
    "multiply": "product",
    "subtract": "difference",
    "divide": "quotient",
    "both": "answer",
}
"""Column of the right answers, by operation."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Questions:
    """All (a, b) in row-major order; of two operations first all sums, then all products."""

    modulus: int
    operation: str
    a: np.ndarray
    """(N,) int64."""
    b: np.ndarray
    """(N,) int64; 1 and up where it divides."""
    is_product: np.ndarray
    """(N,) int64: of two operations, 0 for the first and 1 for the second; else 0."""

    def __len__(self) -> int:
        return len(self.a)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each factor has: a and b, and before them the operation where there are two."""
        parts = 2 if self.operation == "both" else 1
        pair = (self.modulus, len(self) // (parts * self.modulus))
        return (parts, *pair) if parts > 1 else pair

    @cached_property
    def answers(self) -> np.ndarray:
        """(N,) int64, 0 to modulus - 1."""
        match self.operation:
            case "add":
                return (self.a + self.b) % self.modulus
            case "multiply":
                return self.a * self.b % self.modulus
            case "subtract":
                return (self.a - self.b) % self.modulus
            case "divide":
                inverse = np.array([0, *(pow(x, -1, self.modulus) for x in range(1, self.modulus))])
                return self.a * inverse[self.b] % self.modulus
            case _:
                return np.where(self.is_product, self.a * self.b, self.a + self.b) % self.modulus


def questions(params: ArithmeticParams) -> Questions:
    """Of a task: modulus^2 pairs, modulus (modulus - 1) where it divides, 2 modulus^2 of both operations."""
    modulus = params.prime
    first = 1 if params.operation == "divide" else 0
    parts = 2 if params.operation == "both" else 1
    kind, a, b = np.meshgrid(np.arange(parts), np.arange(modulus), np.arange(first, modulus), indexing="ij")
    return Questions(modulus=modulus, operation=params.operation, a=a.ravel(), b=b.ravel(), is_product=kind.ravel())


def one_hot(asked: Questions) -> Tensor:
    """(N, 2 modulus) float32: a as one of the first half, b as one of the second."""
    import torch
    from torch.nn.functional import one_hot

    pair = torch.from_numpy(np.stack([asked.a, asked.b], axis=1))
    return one_hot(pair, asked.modulus).flatten(1).float()


def tokens(asked: Questions) -> Tensor:
    """(N, 4) int64 [a, operation, b, =]: residues are themselves, then come the operation (or both) and '='."""
    import torch

    equals = asked.modulus + (2 if asked.operation == "both" else 1)
    columns = (asked.a, asked.modulus + asked.is_product, asked.b, np.full(len(asked), equals))
    return torch.from_numpy(np.stack(columns, axis=1))


def split(asked: Questions, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Row numbers of the questions trained on and of all others, in the order drawn.

    A random permutation's first part, truncated; of two operations a permutation each, then both parts are shuffled,
    all from one generator. The same for every encoding.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    parts = 2 if asked.operation == "both" else 1
    size = len(asked) // parts
    count = int(size * fraction)
    if not 0 < count < size:
        raise BadValue(
            f"train_fraction={fraction:g} of {size} pairs leaves nothing to {'train on' if count == 0 else 'test on'}.",
            f"It makes {count} training pairs.",
            "Choose a larger prime, or another train_fraction.",
        )
    drawn = [part * size + torch.randperm(size, generator=generator) for part in range(parts)]
    train, test = torch.cat([rows[:count] for rows in drawn]), torch.cat([rows[count:] for rows in drawn])
    if parts == 1:
        return train, test
    shuffled = [rows[torch.randperm(len(rows), generator=generator)] for rows in (train, test)]
    return shuffled[0], shuffled[1]


def probe(asked: Questions, inputs: Tensor, train: Tensor) -> Probe:
    """All questions in order with their factors and the answer as columns, and the swap of a and b where it leaves the
    answer alone. Where it divides, the column 'divisor' counts b from 1: its 0 is b = 1.
    """
    import torch

    mask = np.zeros(len(asked), dtype=bool)
    mask[train.numpy()] = True
    factors: dict[str, np.ndarray] = {"operation": asked.is_product} if asked.operation == "both" else {}
    factors |= {"a": asked.a}
    factors |= {"divisor": asked.b - 1} if asked.operation == "divide" else {"b": asked.b}
    swapped = asked.is_product * asked.modulus**2 + asked.b * asked.modulus + asked.a
    return Probe(
        name="grid",
        inputs=inputs,
        labels=torch.from_numpy(asked.answers),
        columns={**factors, ANSWER[asked.operation]: asked.answers},
        grid=tuple(factors),
        train=mask,
        symmetries={"swap": swapped} if asked.operation in ("add", "multiply", "both") else {},
    )


def bases(params: ArithmeticParams) -> Mapping[str, Basis]:
    """Fourier bases: over residues where it adds or subtracts, over their discrete logarithms where it multiplies or
    divides; of both operations that of addition, and none over the answers.
    """
    if params.operation in ("multiply", "divide"):
        if params.any_modulus or params.prime < 3:
            return {}
        basis = multiplicative_basis(params.prime)
        second = {"divisor": divisor_basis(params.prime)} if params.operation == "divide" else {}
        return {**dict.fromkeys(("token", "a", "b", ANSWER[params.operation]), basis), **second}
    basis = fourier_basis(params.prime)
    answer = () if params.operation == "both" else (ANSWER[params.operation],)
    return dict.fromkeys(("token", "a", "b", *answer), basis)
