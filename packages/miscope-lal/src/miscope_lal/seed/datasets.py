"""The seed's data sets: all questions of a task, encoded for an MLP or for a transformer, and their split."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope_lal import arithmetic
from miscope_lal.arithmetic import Questions
from miscope_lal.params import ArithmeticParams

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ModularArithmeticDataset", "SequenceArithmeticDataset", "Split", "get_pair_indices", "get_special_pairs"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Some of the questions."""

    inputs: Tensor
    """(n, 2 p) float32 one-hot, or (n, 4) int64 tokens."""
    targets: Tensor
    """(n,) int64."""
    pairs: Tensor
    """(n, 2) int64: a and b."""

    @property
    def input_ids(self) -> Tensor:
        """The inputs, as tokens are called."""
        return self.inputs


class _Dataset(ABC):
    """All questions in row-major order; a sequence of (input, target)."""

    def __init__(self, p: int = 113, operation: str = "add", train_frac: float = 0.3, seed: int = 42) -> None:
        params = ArithmeticParams.model_validate({"prime": p, "operation": operation})
        self.p, self.operation, self._asked = p, operation, arithmetic.questions(params)
        self._train, self._test = arithmetic.split(self._asked, train_frac, seed)
        self._inputs = self._encoded(self._asked)

    @abstractmethod
    def _encoded(self, asked: Questions) -> Tensor: ...

    @property
    def output_dim(self) -> int:
        """Classes of the answer."""
        return self.p

    def get_train(self) -> Split:
        """What is trained on, in the order drawn."""
        return self._rows(self._train)

    def get_test(self) -> Split:
        """What is held out, in the order drawn."""
        return self._rows(self._test)

    def get_all(self) -> Split:
        """Everything, in row-major order."""
        import torch

        return self._rows(torch.arange(len(self)))

    def __len__(self) -> int:
        return len(self._asked)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        import torch

        return self._inputs[row], torch.tensor(self._asked.answers[row])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[row] for row in range(len(self)))

    def _rows(self, rows: Tensor) -> Split:
        import torch

        pairs = np.stack([self._asked.a, self._asked.b], axis=1)
        targets = torch.from_numpy(self._asked.answers)
        return Split(inputs=self._inputs[rows], targets=targets[rows], pairs=torch.from_numpy(pairs)[rows])


@final
class ModularArithmeticDataset(_Dataset):
    """For an MLP: a and b as one of p each."""

    def _encoded(self, asked: Questions) -> Tensor:
        return arithmetic.one_hot(asked)

    @property
    def input_dim(self) -> int:
        """Numbers of an input."""
        return 2 * self.p


@final
class SequenceArithmeticDataset(_Dataset):
    """For a transformer: the tokens [a, operation, b, =]."""

    def _encoded(self, asked: Questions) -> Tensor:
        return arithmetic.tokens(asked)

    @property
    def vocab_size(self) -> int:
        """Numbers, operations and '='."""
        return self.p + (3 if self.operation == "both" else 2)

    @property
    def input_dim(self) -> int:
        """The same, as a transformer's input is counted."""
        return self.vocab_size

    @property
    def seq_len(self) -> int:
        """Tokens of an input."""
        return 4


def get_pair_indices(p: int, pairs: Tensor) -> Tensor:
    """Row numbers of pairs (n, 2) among all pairs."""
    return pairs[:, 0] * p + pairs[:, 1]


def get_special_pairs(p: int) -> dict[str, list[tuple[int, int]]]:
    """'zero_pairs': (a, 0) and then (0, b); 'identity_pairs': (a, a); 'small_pairs': both below p // 4."""
    small = range(p // 4)
    return {
        "zero_pairs": [*((a, 0) for a in range(p)), *((0, b) for b in range(1, p))],
        "identity_pairs": [(a, a) for a in range(p)],
        "small_pairs": [(a, b) for a in small for b in small],
    }
