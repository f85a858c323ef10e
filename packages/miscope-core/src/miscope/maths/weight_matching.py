"""Orders of every kind of unit at once, residual stream included, that bring one network's weights nearest another's.

Git re-basin (Ainsworth et al. 2022, arXiv 2209.04836), section 3.2: weight matching by coordinate descent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from miscope.maths.permutation import EVERYWHERE, INNER, Unit, permuted, places
from miscope.model import LOGITS, Model

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["free", "matched_weights", "units_of"]

_ROUNDS = 100
_SLACK = 1e-9
"""Gain in agreement, relative to both networks' size, that counts: less is rounding."""
_SAME = 1e-9
"""Change of the logits, relative to the largest, that is rounding."""

Weights: TypeAlias = "Mapping[str, Tensor]"
Axes = Mapping[str, tuple[str, ...]]


def units_of(weights: Weights, axes: Axes) -> dict[Unit, np.ndarray]:
    """Every kind of unit in the order it has, (n,), or within heads (H, n).

    None where its tensors do not agree on how many there are, as with keys and values that heads share.
    """
    orders = {}
    for unit, tensors in places(axes).items():
        roles = [role for role, _ in tensors]
        counts = {weights[role].shape[place] for role, place in tensors}
        heads = {weights[role].shape[axes[role].index("head")] for role in roles if unit[1] in INNER}
        if len(counts) == 1 and len(heads) < 2 and len(set(roles)) == len(roles):
            order = np.arange(counts.pop())
            orders[unit] = np.tile(order, (heads.pop(), 1)) if heads else order
    return orders


def free(model: Model, weights: Weights, axes: Axes, inputs: Tensor) -> list[Unit]:
    """The units whose order the answers do not depend on, tried out on these inputs: reversed, they answer the same."""
    weights = {role: tensor.double() for role, tensor in weights.items()}
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    logits = model.answers(weights, inputs, [LOGITS])[LOGITS]
    limit = _SAME * float(logits.abs().max())
    units = []
    for unit, order in units_of(weights, axes).items():
        other = permuted(weights, axes, {unit: order[..., ::-1]})
        if float((model.answers(other, inputs, [LOGITS])[LOGITS] - logits).abs().max()) <= limit:
            units.append(unit)
    return units


def matched_weights(
    first: Weights, second: Weights, axes: Axes, units: Iterable[Unit], start: Mapping[Unit, np.ndarray]
) -> dict[Unit, np.ndarray]:
    """Orders of the second network's units that no change of one kind alone improves.

    Improves: makes the sum of products of both networks' weights larger, which makes their distance smaller. From the
    orders given, for other units from the order they have; each kind in turn to its best, given those of the others,
    heads together with the order within them.
    """
    orders = {unit: start.get(unit, order) for unit, order in units_of(second, axes).items() if unit in set(units)}
    scale = sum(float(first[role].norm() * second[role].norm()) for role in axes)
    # The stream first: where neurons and heads are matched by what they do, it has no order yet.
    kinds = sorted((unit for unit in orders if unit[1] not in INNER), key=lambda unit: unit[0] != EVERYWHERE)
    for _ in range(_ROUNDS):
        changed = False
        for unit in kinds:
            mine = {unit, *((unit[0], inner) for inner in INNER if unit[1] == "head")}.intersection(orders)
            others = permuted(second, axes, {each: order for each, order in orders.items() if each not in mine})
            best, gain = _best(first, others, axes, {each: orders[each] for each in mine})
            if gain > _SLACK * scale:
                orders, changed = orders | best, True
        if not changed:
            break
    return orders


def _best(
    first: Weights, second: Weights, axes: Axes, now: Mapping[Unit, np.ndarray]
) -> tuple[dict[Unit, np.ndarray], float]:
    """The best order of these units, of heads together with what is within them, and what it gains on the one now."""
    from scipy.optimize import linear_sum_assignment

    (unit,) = (each for each in now if each[1] not in INNER)
    known, here = places(axes), np.arange(len(now[unit]))
    inner = [each for pair in INNER if (each := (unit[0], pair)) in known and unit[1] == "head"]
    within = {role for each in inner for role, _ in known[each]}
    agreement = _agreement(first, second, axes, [tensor for tensor in known[unit] if tensor[0] not in within])
    agreement = np.zeros((len(here), len(here))) if agreement is None else agreement
    current = float(agreement[here, now[unit]].sum())
    inside: dict[Unit, np.ndarray] = {}
    for each in inner:
        table = _within_heads(first, second, axes, known[each])
        as_is = np.tile(np.arange(table.shape[2]), (len(here), len(here), 1))
        orders = _assigned(table) if each in now else as_is
        agreement = agreement + _total(table, orders)
        paired = table[here, now[unit]]
        current += float(np.take_along_axis(paired, now.get(each, as_is[0])[..., None], axis=2).sum())
        inside[each] = orders
    rows, best = linear_sum_assignment(-agreement)
    inner_orders = {each: orders[here, best] for each, orders in inside.items() if each in now}
    return {unit: best, **inner_orders}, float(agreement[rows, best].sum()) - current


def _assigned(table: np.ndarray) -> np.ndarray:
    """(H, H, n) best orders within each pair of heads, of agreements (H, H, n, n)."""
    from scipy.optimize import linear_sum_assignment

    return np.array([[linear_sum_assignment(-pair)[1] for pair in row] for row in table])


def _total(table: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """(H, H) what orders (H, H, n) come to."""
    return np.take_along_axis(table, orders[..., None], axis=3)[..., 0].sum(axis=2)


def _agreement(first: Weights, second: Weights, axes: Axes, tensors: list[tuple[str, int]]) -> np.ndarray | None:
    """(n, n) sum of products of the weights at each unit of the first network with those at each of the second's."""
    agreement = None
    for role, place in tensors:
        one, two = (each[role].double().movedim(place, 0).numpy() for each in (first, second))
        agreement = one.reshape(len(one), -1) @ two.reshape(len(two), -1).T + (0.0 if agreement is None else agreement)
    return agreement


def _within_heads(first: Weights, second: Weights, axes: Axes, tensors: list[tuple[str, int]]) -> np.ndarray:
    """(H, H, n, n) the same for each pair of heads, at what is within them."""
    agreement: np.ndarray | float = 0.0
    for role, place in tensors:
        at = (axes[role].index("head"), place)
        one, two = (each[role].double().movedim(at, (0, 1)).numpy() for each in (first, second))
        one, two = (each.reshape(*each.shape[:2], -1) for each in (one, two))
        agreement = agreement + np.einsum("gax,hbx->ghab", one, two, optimize=True)
    return np.asarray(agreement)
