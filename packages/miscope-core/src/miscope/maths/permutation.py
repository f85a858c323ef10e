"""The order of units that brings one network closest to another, and weights put into it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["correlations", "match_heads", "match_units", "permuted"]

_TIE = 1e-6
"""Weight of a difference in size beside a correlation: it decides only between units that are otherwise alike."""


def correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m, n) correlation over inputs of the columns of (N, m) and (N, n); 0 where a column is constant."""
    one, two = (_standardised(np.asarray(part, dtype=np.float64)) for part in (first, second))
    return one.T @ two


def _standardised(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return centred / np.where(length > 1e-12 * max(length.max(initial=0), 1e-300), length, np.inf)


def match_units(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
    """(order, mean correlation): unit order[i] of the second (N, n) goes to place i, where the sum of correlations is
    the largest that any order has (Li et al. 2016; Ainsworth et al. 2022, activation matching).
    """
    alike = correlations(first, second)
    size = [np.asarray(part, dtype=np.float64).std(axis=0) for part in (first, second)]
    largest = max(size[0].max(initial=0), size[1].max(initial=0), 1e-300)
    apart = np.abs(size[0][:, None] - size[1][None]) / largest
    _, order = linear_sum_assignment(apart * _TIE - alike)
    return order, float(alike[np.arange(len(order)), order].mean())


def match_heads(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The order of heads with the least squared difference between attention patterns (N, head, key)."""
    one, two = (
        np.asarray(part, dtype=np.float64).swapaxes(0, 1).reshape(part.shape[1], -1) for part in (first, second)
    )
    _, order = linear_sum_assignment(((one[:, None] - two[None]) ** 2).sum(axis=-1))
    return order


def permuted(
    weights: Mapping[str, Tensor],
    axes: Mapping[str, tuple[str, ...]],
    orders: Mapping[tuple[str, str], np.ndarray],
) -> dict[str, Tensor]:
    """Weights with the units of (layer, axis) in another order: {('blocks.0', 'd_mlp'): order}.

    A tensor outside the layers, an embedding or unembedding, belongs to the first or last layer with that axis.
    """
    found = dict(weights)
    for role, names in axes.items():
        for place, axis in enumerate(names):
            layer = _layer_of(role, axis, orders)
            if layer is not None:
                found[role] = found[role].index_select(place, _index(orders[layer, axis], found[role]))
    return found


def _index(order: np.ndarray, like: Tensor) -> Tensor:
    import torch

    return torch.as_tensor(np.array(order), dtype=torch.int64, device=like.device)


def _layer_of(role: str, axis: str, orders: Mapping[tuple[str, str], np.ndarray]) -> str | None:
    layers = sorted((layer for layer, name in orders if name == axis), key=lambda name: (len(name), name))
    if not layers:
        return None
    for layer in layers:
        if role.startswith(f"{layer}."):
            return layer
    if role.startswith("blocks."):
        return None
    return layers[-1] if role.endswith("_U") else layers[0]
