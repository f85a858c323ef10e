"""Repeated random tokens with a period and an offset of their own: what an induction head is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IGNORED", "SHORTEST_PERIOD", "Repeats", "draw_repeats", "largest_offset", "longest_period", "repeats_probe"]

IGNORED = -100
"""Label of a position at which nothing is asked."""

SHORTEST_PERIOD = 4
_PROBED_PERIODS = 4


def largest_offset(vocabulary: int, length: int) -> int:
    """Most tokens that stand before the block: a fifth of the sequence, or as many as the block leaves over."""
    return min(length // 5, vocabulary - vocabulary // 2)


def longest_period(vocabulary: int, length: int) -> int:
    """Longest block: half of the tokens there are, and twice it fits behind the largest offset."""
    return min(vocabulary // 2, (length - largest_offset(vocabulary, length)) // 2)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Repeats:
    """Sequences of `offset` random tokens, then a block of `period` other tokens, over and over to the end."""

    tokens: Tensor
    """(n, length) int64; within offset and block every token is another, so that what follows is never ambiguous."""
    next: Tensor
    """(n, length) int64: the token after each position."""
    period: Tensor
    """(n,) int64."""
    offset: Tensor
    """(n,) int64."""

    def rows(self, chosen: Tensor) -> Repeats:
        """These sequences only."""
        return Repeats(
            tokens=self.tokens[chosen],
            next=self.next[chosen],
            period=self.period[chosen],
            offset=self.offset[chosen],
        )

    @property
    def labels(self) -> Tensor:
        """(n, length): the next token where the present one has been seen with its successor, else IGNORED."""
        import torch

        position = torch.arange(self.tokens.shape[1])
        return self.next.where(position >= (self.offset + self.period)[:, None], IGNORED)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Of the answer position: its token, the next, its place in the block; period and offset of the sequence."""
        phase = (self.tokens.shape[1] - 1 - self.offset) % self.period
        tensors = {
            "current": self.tokens[:, -1],
            "next": self.next[:, -1],
            "period": self.period,
            "offset": self.offset,
            "phase": phase,
        }
        return {name: column.numpy() for name, column in tensors.items()}


def draw_repeats(count: int, *, vocabulary: int, length: int, seed: int) -> Repeats:
    """Random sequences; period uniform over SHORTEST_PERIOD .. longest_period, offset over 0 .. largest_offset.

    Both vary because a fixed period is solved by one positional head without any induction circuit.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(count, vocabulary, generator=generator).argsort(1)
    period = torch.randint(SHORTEST_PERIOD, longest_period(vocabulary, length) + 1, (count,), generator=generator)
    offset = torch.randint(largest_offset(vocabulary, length) + 1, (count,), generator=generator)
    return _repeats(order, period, offset, length)


def repeats_probe(*, vocabulary: int, length: int, seed: int) -> Probe:
    """Every pair (current token, next token) once, the pair's own random sequence around it, at several periods.

    grid: `current` and `shift`, by how much the next token lies ahead of the current one, less 1. For each shift one
    sequence is drawn and its tokens are counted on to reach every current token, so that relabelling all tokens by
    one is a permutation of the rows. Periods cycle over a few between the shortest and the longest.
    """
    import torch

    shifts = vocabulary - 1
    generator = torch.Generator().manual_seed(seed)
    periods = np.linspace(SHORTEST_PERIOD, longest_period(vocabulary, length), _PROBED_PERIODS).round().astype(int)
    period = torch.from_numpy(np.resize(np.unique(periods), shifts))
    offset = torch.randint(largest_offset(vocabulary, length) + 1, (shifts,), generator=generator)
    others = torch.rand(shifts, shifts, generator=generator).argsort(1) + 1
    rows = torch.arange(shifts)
    last = offset + (length - 1 - offset) % period
    after = offset + (length - offset) % period
    # Token 0 stands at the end and shift + 1 behind it; all other places take the remaining tokens in random order.
    rest = others[others != rows[:, None] + 1].view(shifts, shifts - 1)
    order = torch.empty(shifts, vocabulary, dtype=torch.int64)
    fixed = torch.zeros_like(order, dtype=torch.bool)
    fixed[rows, last] = fixed[rows, after] = True
    order[~fixed] = rest.flatten()
    order[rows, last], order[rows, after] = 0, rows + 1
    grid = torch.arange(vocabulary).repeat_interleave(shifts)
    which = rows.repeat(vocabulary)
    repeats = _repeats((order[which] + grid[:, None]) % vocabulary, period[which], offset[which], length)
    image = ((grid + 1) % vocabulary) * shifts + which
    return Probe(
        name="repeats",
        inputs=repeats.tokens,
        labels=repeats.next[:, -1],
        columns={**repeats.columns, "shift": which.numpy()},
        grid=("current", "shift"),
        symmetries={"relabel": image.numpy()},
    )


def _repeats(order: Tensor, period: Tensor, offset: Tensor, length: int) -> Repeats:
    """Sequences that take their tokens from the front of each row of `order`: the offset's, then the block's."""
    import torch

    position = torch.arange(length + 1)[None]
    start = offset[:, None]
    place = position.where(position < start, start + (position - start) % period[:, None])
    tokens = order.gather(1, place)
    return Repeats(tokens=tokens[:, :-1].contiguous(), next=tokens[:, 1:].contiguous(), period=period, offset=offset)
