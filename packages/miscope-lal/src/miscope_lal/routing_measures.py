"""What routing weights show: how decided they are, which inputs are routed alike, and by which paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.maths.false_discovery import empirical_p_values
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WEIGHTS", "Paths", "between_share", "by_layer", "entropies", "groupings", "paths_of", "quantiles"]
__all__ += ["p_value", "shuffled_shares"]

WEIGHTS = "*.routing.hook_weights"
"""The sites of routing weights, (N, head) at the answer position."""

_ROUNDING = 1e-12


def by_layer(activations: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Routing weights (N, head) float64 by site, in the order of layers.

    At the answer position: in a causal network no other has seen both operands, so no other's routing can depend on
    the question.
    """
    names = (name for name in activations if name.endswith(WEIGHTS[1:]))
    return {name: activations[name].double().numpy() for name in sorted(names, key=lambda name: (len(name), name))}


def groupings(probe: Probe) -> dict[str, np.ndarray]:
    """Ways of grouping inputs (N,) by name: by every column of the probe with several values, and by right answer."""
    named = {name: np.asarray(values) for name, values in probe.columns.items()}
    if probe.labels is not None and not any(np.array_equal(v, probe.labels.numpy()) for v in named.values()):
        named["answer"] = probe.labels.numpy()
    return {name: values for name, values in named.items() if len(np.unique(values)) > 1}


def entropies(weights: np.ndarray) -> np.ndarray:
    """(...,) -sum_k w_k ln w_k in nats of routing weights (..., n): 0 for one head alone, ln n for all alike."""
    return -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=-1)


def between_share(weights: np.ndarray, group: np.ndarray) -> float:
    """Share of the variance of weights (N, n) over inputs that is between groups (N,), all heads together.

    1: an input's group decides its routing; (G - 1) / (N - 1) expected of G groups at random. NaN where all inputs are
    routed alike.
    """
    return _share(weights, *_sorted(group))


def shuffled_shares(weights: np.ndarray, group: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) that share once the routing weights are dealt to the inputs at random."""
    generator, (order, starts) = np.random.default_rng(seed), _sorted(group)
    return np.array([_share(generator.permutation(weights), order, starts) for _ in range(draws)])


def _sorted(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An order of inputs in which groups lie together, and where each begins."""
    order = np.argsort(group, kind="stable")
    return order, np.unique(group[order], return_index=True)[1]


def _share(weights: np.ndarray, order: np.ndarray, starts: np.ndarray) -> float:
    away = weights[order] - weights.mean(axis=0)
    counts = np.diff(np.append(starts, len(order)))
    whole = (away**2).sum()
    between = (np.add.reduceat(away, starts, axis=0) ** 2 / counts[:, None]).sum()
    # Weights that differ by rounding alone have no variance to be shared.
    return float(between / whole) if whole > 1e-20 * len(order) else float("nan")


def p_value(value: float, null: np.ndarray) -> np.ndarray:
    """() of a value as large under the null (draws,). What differs by rounding alone, as two orders of summing the
    same numbers do, is as large.
    """
    return np.array(empirical_p_values(np.array([value - _ROUNDING]), null)[0])


def quantiles(null: np.ndarray) -> np.ndarray:
    """(3,) 2.5, 50 and 97.5 % of a null."""
    return np.quantile(null, (0.025, 0.5, 0.975))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Paths:
    """The ways that inputs take through the layers, the commonest first."""

    heads: np.ndarray
    """(P, L) the head at each layer."""
    count: np.ndarray
    """(P,) inputs that take each."""
    taken: np.ndarray
    """(N,) which one each input takes."""


def paths_of(dominant: Sequence[np.ndarray]) -> Paths:
    """The distinct rows of the dominant heads (N,) of each layer."""
    heads, taken, count = np.unique(np.stack(dominant, axis=1), axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Paths(heads=heads[order], count=count[order], taken=place[taken.ravel()])
