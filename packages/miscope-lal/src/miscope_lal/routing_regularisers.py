"""What may be minimised of routing weights: each is lowest where every input takes one head alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["consistency", "entropy", "gini", "regulariser", "sparsity"]

_LEAST = 1e-8
_LEAST_LOG = -100.0


def entropy(weights: Tensor) -> Tensor:
    """Mean over inputs of -sum_k w_k ln w_k, nats: ln n for uniform weights, 0 (to 1e-6) for one-hot ones.

    weights (..., n), each row on the simplex; entries are clamped to [1e-8, 1 - 1e-8].
    """
    clamped = weights.clamp(_LEAST, 1 - _LEAST)
    return -(clamped * clamped.log()).sum(-1).mean()


def sparsity(weights: Tensor) -> Tensor:
    """Mean over inputs of 1 - max_k w_k: (n - 1) / n for uniform weights (..., n), 0 for one-hot ones.

    Not the sum of absolute values, which is 1 for every row.
    """
    return (1 - weights.amax(-1)).mean()


def gini(weights: Tensor, *, normalised: bool = False) -> Tensor:
    """Mean over inputs of 1 - G, G the Gini index of a row: 1 for uniform weights (..., n), 1 / n for one-hot ones.

    G = 2 sum_k k w_(k) / (n sum w) - (n + 1) / n, w ascending, k from 1 (Hurley & Rickard 2009, "Comparing measures of
    sparsity"); its maximum is (n - 1) / n. Normalised, 1 - G n / (n - 1): 0 for one-hot rows, and of a single head 0.
    """
    n = weights.shape[-1]
    rank = torch.arange(1, n + 1, dtype=weights.dtype, device=weights.device)
    weighted = (weights.sort(-1).values * rank).sum(-1)
    index = 2 * weighted / (n * weights.sum(-1) + _LEAST) - (n + 1) / n
    if not normalised:
        return (1 - index).mean()
    return (1 - index * n / (n - 1)).mean() if n > 1 else 0 * index.mean()


def consistency(weights: Tensor, inputs: Tensor, *, temperature: float = 1.0) -> Tensor:
    """KL(S W || W) in nats, the mean over inputs: 0 where all rows of the routing weights agree.

    weights (B, n); inputs (B, ...) numbers, of whose cosines S (B, B) is the softmax over the second, an input itself
    included: S W is how inputs like this one are routed. ln W is taken as -100 at least. Differentiable through both
    arguments of the divergence. Holds B x B numbers at once, and is not the mean of its values over parts.
    """
    directions = torch.nn.functional.normalize(inputs.flatten(1).to(weights), dim=-1)
    alike = (directions @ directions.T / temperature).softmax(-1)
    smoothed = alike @ weights
    return (smoothed * (_log(smoothed) - _log(weights))).sum(-1).mean()


def regulariser(name: str, *, gini_normalised: bool = False) -> Callable[[Tensor, Tensor], Tensor]:
    """(routing weights (B, n), inputs (B, ...)) -> the regulariser of that name; BadValue where there is none."""
    known: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
        "entropy": lambda weights, inputs: entropy(weights),
        "sparsity": lambda weights, inputs: sparsity(weights),
        "gini": lambda weights, inputs: gini(weights, normalised=gini_normalised),
        "consistency": lambda weights, inputs: consistency(weights, inputs),
    }
    if name in known:
        return known[name]
    raise BadValue(
        f"There is no routing regulariser {name!r}.",
        f"There are: {', '.join(known)}.",
        "Name one of these, or 'none'.",
        field="routing_regularizer",
    )


def _log(weights: Tensor) -> Tensor:
    """ln w, and -100 with slope 0 where that is less: of a weight of exactly 0 the plain slope is not a number."""
    known = weights > math.exp(_LEAST_LOG)
    return torch.where(known, torch.where(known, weights, 1.0).log(), _LEAST_LOG)
