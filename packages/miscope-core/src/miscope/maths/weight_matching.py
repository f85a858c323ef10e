"""Orders of every kind of unit at once, residual stream included, that bring one network's weights nearest another's.

Git re-basin (Ainsworth et al. 2022, arXiv 2209.04836), section 3.2: weight matching by coordinate descent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from miscope.maths.permutation import EVERYWHERE, Unit, permuted, places
from miscope.model import LOGITS, Model

__all__ = ["free", "matched_weights", "units_of"]

_ROUNDS = 100
_SLACK = 1e-9
"""Gain in agreement, relative to both networks' size, that counts: less is rounding."""
_SAME = 1e-9
"""Change of the logits, relative to the largest, that is rounding."""

Weights = Mapping[str, Tensor]
Axes = Mapping[str, tuple[str, ...]]


def units_of(weights: Weights, axes: Axes) -> dict[Unit, int]:
    """How many there are of each kind of unit; none where its tensors do not agree, as with shared keys and values."""
    found = {}
    for unit, tensors in places(axes).items():
        counts = {weights[role].shape[place] for role, place in tensors}
        roles = [role for role, _ in tensors]
        if len(counts) == 1 and len(set(roles)) == len(roles):
            found[unit] = counts.pop()
    return found


def free(model: Model, weights: Weights, axes: Axes, inputs: Tensor) -> list[Unit]:
    """The units whose order the answers do not depend on, tried out on these inputs: reversed, they answer the same."""
    weights = {role: tensor.double() for role, tensor in weights.items()}
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    logits = model.answers(weights, inputs, [LOGITS])[LOGITS]
    limit = _SAME * float(logits.abs().max())
    found = []
    for unit, count in units_of(weights, axes).items():
        other = permuted(weights, axes, {unit: np.arange(count)[::-1]})
        if float((model.answers(other, inputs, [LOGITS])[LOGITS] - logits).abs().max()) <= limit:
            found.append(unit)
    return found


def matched_weights(
    first: Weights, second: Weights, axes: Axes, units: Iterable[Unit], start: Mapping[Unit, np.ndarray]
) -> dict[Unit, np.ndarray]:
    """Orders of the second network's units that no change of one kind alone improves.

    Improves: makes the sum of products of both networks' weights larger, which makes their distance smaller. From the
    orders given, for other units from the order they have; each kind in turn to its best, given those of the others.
    """
    sizes = units_of(second, axes)
    orders = {unit: np.asarray(start.get(unit, np.arange(sizes[unit]))) for unit in units}
    scale = sum(float(first[role].norm() * second[role].norm()) for role in axes)
    # The stream first: where neurons and heads are matched by what they do, it has no order yet.
    kinds = sorted(orders, key=lambda unit: unit[0] != EVERYWHERE)
    for _ in range(_ROUNDS):
        changed = False
        for unit in kinds:
            others = permuted(second, axes, {each: order for each, order in orders.items() if each != unit})
            agreement = _agreement(first, others, axes, unit, len(orders[unit]))
            rows, best = linear_sum_assignment(-agreement)
            gain = float(agreement[rows, best].sum() - agreement[rows, orders[unit]].sum())
            if gain > _SLACK * scale:
                orders[unit], changed = best, True
        if not changed:
            break
    return orders


def _agreement(first: Weights, second: Weights, axes: Axes, unit: Unit, count: int) -> np.ndarray:
    """(n, n) sum of products of the weights at each unit of the first network with those at each of the second's."""
    found = np.zeros((count, count))
    for role, place in places(axes)[unit]:
        one, two = (weights[role].double().movedim(place, 0).reshape(count, -1).numpy() for weights in (first, second))
        found += one @ two.T
    return found
