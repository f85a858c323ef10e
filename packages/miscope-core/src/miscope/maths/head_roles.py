"""What an attention head does on repeated random tokens: which key it attends to, counted from the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HEAD_ROLES", "draw_blocks", "even_scores", "periods_for", "role_scores"]

HEAD_ROLES = ("previous token", "current token", "first token", "duplicate token", "induction", "prefix matching")
"""In the order of the scores. 'induction' counts the latest copy only, 'prefix matching' every earlier one."""

POSITIONAL = 3
"""The first so many name a place, whatever token is there; the others name a token that came before."""

SHORTEST = 4
"""Tokens a repeated block has at least."""


def periods_for(context: int, vocabulary: int, *, distinct: bool) -> tuple[int, ...]:
    """Block lengths that fit five, three and two times into the context, where blocks of that length can be drawn."""
    longest = vocabulary if distinct else context
    fitting = {context // copies for copies in (5, 3, 2)}
    return tuple(sorted(period for period in fitting if SHORTEST <= period <= longest))


def draw_blocks(vocabulary: int, shape: tuple[int, int], generator: torch.Generator, *, distinct: bool) -> Tensor:
    """Random tokens (sequence, position); distinct: no token twice in a sequence."""
    if distinct:
        return torch.rand(shape[0], vocabulary, generator=generator).argsort(1)[:, : shape[1]]
    return torch.randint(vocabulary, shape, generator=generator)


def role_scores(pattern: Tensor, period: int) -> Tensor:
    """Attention that serves each role, (role, N, H), of patterns (N, H, q, k) on blocks of that period; each in [0, 1].

    Means over queries q: A[q, q-1] previous, A[q, q] current, A[q, 0] first (q > 0), and from the second copy on
    A[q, q-P] duplicate, A[q, q-P+1] induction, sum_m A[q, q-mP+1] prefix matching. Olsson et al. 2022, section on
    head scores; Nanda et al. 2023 for the sum.
    """
    length = pattern.shape[-1]
    later = range(period, length)
    prefix = torch.stack([pattern[..., q, range((q % period) + 1, q, period)].sum(-1) for q in later], dim=-1)
    attended = (
        pattern.diagonal(-1, -2, -1),
        pattern.diagonal(0, -2, -1),
        pattern[..., 1:, 0],
        pattern.diagonal(-period, -2, -1),
        pattern.diagonal(1 - period, -2, -1)[..., 1:],
        prefix,
    )
    return torch.stack([weights.mean(-1) for weights in attended])


def even_scores(pattern: Tensor) -> Tensor:
    """(POSITIONAL,) scores of the roles that name a place, where attention does not depend on the place.

    The mean over all ways to deal each query's attention out anew among the keys it can see: 1 / (q + 1) at query q
    where every head of the patterns (N, H, q, k) is causal, 1 / k else.
    """
    queries, keys = pattern.shape[-2:]
    causal = not bool(pattern.triu(1).any())
    seen = torch.arange(1, queries + 1) if causal else torch.full((queries,), keys)
    share = 1 / seen.to(pattern.dtype)
    return torch.stack([share[1:].mean(), share.mean(), share[1:].mean()])
