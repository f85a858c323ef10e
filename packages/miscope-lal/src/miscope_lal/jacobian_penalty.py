"""The mean squared size of the logits' Jacobian, by random projections that a resumed training draws again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["jacobian_penalty", "projections_at"]

_LEAST = 1e-8


def jacobian_penalty(logits: Tensor, inputs: Tensor, *, generator: Generator, samples: int = 1) -> Tensor:
    """classes x mean over examples and samples of |J^T v|^2, v on the unit sphere: unbiased for the mean of |J|_F^2.

    logits (n, classes), a function of inputs (n, ...) of which example i's are those of input i alone. Each example
    has projections of its own. Differentiable once more. Hoffman, Roberts & Yaida 2019 (arXiv 1908.02729), section 2.
    """
    total = logits.new_zeros(())
    for _ in range(samples):
        drawn = torch.randn(tuple(logits.shape), generator=generator).to(logits)
        unit = drawn / (drawn.norm(dim=-1, keepdim=True) + _LEAST)
        (slope,) = torch.autograd.grad(logits, inputs, grad_outputs=unit, create_graph=True)
        total = total + slope.flatten(1).square().sum(1).mean()
    return logits.shape[-1] * total / samples


def projections_at(seed: int, step: int) -> Generator:
    """The generator of the projections of one step: the same however a training was cut into runs."""
    state = np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) % 2**63)
