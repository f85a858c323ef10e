"""Which streams of a causal transformer differ, over many questions [a, operation, b, =].

At its first position it has seen a alone, at the second a and the operation: over many questions these streams repeat,
and each is computed once. What a block attends to is then rows of a table, given here by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["QuestionRows", "question_rows"]

Keys = tuple[Tensor, ...]
"""For each of the four positions (streams there, position + 1): rows of a table that each of its streams attends to,
the last of which is its own."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionRows:
    """Two tables: the embeddings that occur, and the streams that do, position after position in both."""

    tokens: Tensor
    """(rows of the first table,) int64."""
    positions: Tensor
    """(rows of the first table,) int64, of each token."""
    in_first: Keys
    """Into the table of embeddings."""
    in_later: Keys
    """Into the table of streams: those of a, of a and the operation, and of every question two, the last the answer's.
    """


def question_rows(questions: Tensor) -> QuestionRows:
    """Of questions (N, 4) [a, operation, b, =], all with the same last token."""
    a, of_a = questions[:, 0].unique(return_inverse=True)
    operation, of_operation = questions[:, 1].unique(return_inverse=True)
    b, of_b = questions[:, 2].unique(return_inverse=True)
    pair, of_pair = (of_a * len(operation) + of_operation).unique(return_inverse=True)
    first_a, first_operation = pair // len(operation), pair % len(operation)
    every_a = _counted(len(a), questions)[:, None]
    # Where each position begins in the first table.
    at_1, at_2, at_3 = len(a), len(a) + len(operation), len(a) + len(operation) + len(b)
    before = torch.stack([of_a, at_1 + of_operation, at_2 + of_b], dim=1)
    in_first = (
        every_a,
        torch.stack([first_a, at_1 + first_operation], dim=1),
        before,
        F.pad(before, (0, 1), value=at_3),
    )
    # And in the later ones.
    at_2 = len(a) + len(pair)
    number = _counted(len(questions), questions)
    before = torch.stack([of_a, len(a) + of_pair, at_2 + number], dim=1)
    in_later = (
        every_a,
        torch.stack([first_a, len(a) + _counted(len(pair), questions)], dim=1),
        before,
        torch.cat([before, (at_2 + len(questions) + number)[:, None]], dim=1),
    )
    tokens = torch.cat([a, operation, b, questions[:1, 3]])
    counts = questions.new_tensor([len(a), len(operation), len(b), 1])
    positions = _counted(4, questions).repeat_interleave(counts)
    return QuestionRows(tokens=tokens, positions=positions, in_first=in_first, in_later=in_later)


def _counted(count: int, like: Tensor) -> Tensor:
    return torch.arange(count, device=like.device)
