"""The order of units that brings one network closest to another, and weights put into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EVERYWHERE", "INNER", "Unit", "correlations", "match_heads", "match_units", "permuted", "places"]

Unit = tuple[str, str]
"""A layer and a kind: ('blocks.0', 'd_mlp'), ('blocks.0', 'head'), (EVERYWHERE, 'd_model'); and within each head
('blocks.0', 'QK'), by which queries meet keys, and ('blocks.0', 'VO'), of which values are made."""

EVERYWHERE = ""
"""In the place of the layer: the residual stream's channels are the same ones in all of them."""

_STREAM, _HEAD, _WITHIN, _LAYERS = "d_model", "head", "d_head", "blocks."
_IN_LAYER = (_HEAD, "d_mlp")
INNER = ("QK", "VO")

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
    from scipy.optimize import linear_sum_assignment

    alike = correlations(first, second)
    size = [np.asarray(part, dtype=np.float64).std(axis=0) for part in (first, second)]
    largest = max(size[0].max(initial=0), size[1].max(initial=0), 1e-300)
    apart = np.abs(size[0][:, None] - size[1][None]) / largest
    _, order = linear_sum_assignment(apart * _TIE - alike)
    return order, float(alike[np.arange(len(order)), order].mean())


def match_heads(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The order of heads with the least squared difference between attention patterns (N, head, key)."""
    from scipy.optimize import linear_sum_assignment

    one, two = (
        np.asarray(part, dtype=np.float64).swapaxes(0, 1).reshape(part.shape[1], -1) for part in (first, second)
    )
    _, order = linear_sum_assignment(((one[:, None] - two[None]) ** 2).sum(axis=-1))
    return order


def places(axes: Mapping[str, tuple[str, ...]]) -> dict[Unit, list[tuple[str, int]]]:
    """Every weight tensor and axis of it that each kind of unit is told apart by.

    The residual stream's channels are the same in all tensors; heads and neurons belong to a layer. A tensor outside
    the layers, an embedding or unembedding, belongs to the first or last layer with that axis.
    """
    layers: dict[str, list[str]] = {axis: [] for axis in _IN_LAYER}
    for role, names in axes.items():
        for axis in set(names).intersection(_IN_LAYER):
            layer = ".".join(role.split(".")[:2])
            if role.startswith(_LAYERS) and layer not in layers[axis]:
                layers[axis].append(layer)
    tensors: dict[Unit, list[tuple[str, int]]] = {}
    for role, names in axes.items():
        layer = ".".join(role.split(".")[:2])
        for place, axis in enumerate(names):
            known = sorted(layers.get(axis, ()), key=lambda name: (len(name), name))
            if axis == _STREAM:
                tensors.setdefault((EVERYWHERE, axis), []).append((role, place))
            elif known:
                outside = known[-1] if role.endswith("_U") else known[0]
                tensors.setdefault((layer if role.startswith(_LAYERS) else outside, axis), []).append((role, place))
            elif axis == _WITHIN and _HEAD in names:
                inner = next((pair for pair in INNER if role[-1] in pair and role[-2:-1] == "_"), None)
                if inner is not None:
                    tensors.setdefault((layer, inner), []).append((role, place))
    return tensors


def permuted(
    weights: Mapping[str, Tensor], axes: Mapping[str, tuple[str, ...]], orders: Mapping[Unit, np.ndarray]
) -> dict[str, Tensor]:
    """Weights with these units in another order: {('blocks.0', 'd_mlp'): order, (EVERYWHERE, 'd_model'): order}.

    Orders within heads (H, n) are of the heads as they come after their own order.
    """
    reordered, known = dict(weights), places(axes)
    for unit, order in sorted(orders.items(), key=lambda item: item[1].ndim):
        for role, place in known[unit]:
            index = _index(order, reordered[role])
            if order.ndim == 1:
                reordered[role] = reordered[role].index_select(place, index)
            else:
                reordered[role] = _within(reordered[role], (axes[role].index(_HEAD), place), index)
    return reordered


def _within(tensor: Tensor, head_and_place: tuple[int, int], order: Tensor) -> Tensor:
    import torch

    front = tensor.movedim(head_and_place, (0, 1))
    chosen = torch.stack([one.index_select(0, index) for one, index in zip(front, order, strict=True)])
    return chosen.movedim((0, 1), head_and_place)


def _index(order: np.ndarray, like: Tensor) -> Tensor:
    import torch

    return torch.as_tensor(np.array(order), dtype=torch.int64, device=like.device)
