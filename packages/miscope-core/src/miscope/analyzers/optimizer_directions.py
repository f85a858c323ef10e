"""Where Adam's updates point, and what the last one was made of: gradient, memory of earlier ones, and decay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.analyzers.adam_state import KINDS, AdamWeight, adam_weights
from miscope.artifact import NestedArrays
from miscope.maths.adam import clip_factor
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.loss_function import LossFunction

Products: TypeAlias = dict[tuple[str, str], float]
"""Inner products of directions of a weight, which add up over weights."""

_TOTAL = "total"
_DIRECTIONS = ("update", "gradient", "momentum", "weights")
_PAIRS = tuple(combinations(_DIRECTIONS, 2))


def alignment(snapshot: Snapshot) -> NestedArrays:
    """Cosines between Adam's last update, the gradient there is now, the averaged gradient, and the weights.

    As directions in which the weights go: update -m_hat / (sqrt(v_hat) + eps), without the decay and, over all weights,
    with the rate factors of role groups; gradient -dL/dw of the loss on the whole training set at these weights (of
    the probe's right answers, where the training is not here); momentum -m; weights w itself, so that a positive cosine
    with them lengthens. `null` is 2 / sqrt(n): of two random directions of n numbers the cosine lies between -null and
    null with a probability of 0.95, of many numbers. Float64; the gradient in batches.
    """
    loss = next(iter(snapshot.losses.values()))
    gradients = loss.gradient(snapshot.weights, tuple(snapshot.weights))
    products: dict[str, Products] = {}
    sizes: dict[str, int] = {}
    for adam in adam_weights(snapshot):
        along = {
            "update": -adam.group.lr_factor * adam.averages.update,
            "gradient": -gradients[adam.role],
            "momentum": -adam.averages.mean,
            "weights": adam.weight,
        }
        products[adam.role] = _products(along)
        sizes[adam.role] = adam.weight.numel()
    products[_TOTAL] = _summed(products)
    sizes[_TOTAL] = sum(sizes.values())
    return {
        name: {
            **{f"{one}_{other}": _cosine(inner, one, other) for one, other in _PAIRS},
            "null": np.asarray(2 / sizes[name] ** 0.5),
        }
        for name, inner in products.items()
    }


def _products(along: Mapping[str, Tensor]) -> Products:
    """Of every two, and of each with itself."""
    named = list(along)
    pairs = [(one, other) for i, one in enumerate(named) for other in named[i:]]
    return {(one, other): float((along[one] * along[other]).sum()) for one, other in pairs}


def _summed(parts: Mapping[str, Products]) -> Products:
    first = next(iter(parts.values()))
    return {pair: sum(part[pair] for part in parts.values()) for pair in first}


def _cosine(inner: Products, one: str, other: str) -> np.ndarray:
    squared = inner[one, one] * inner[other, other]
    return np.asarray(inner[one, other] / squared**0.5 if squared > 0 else np.nan)


ALIGNMENT = Analyzer(
    name="optimizer.alignment",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=alignment,
    needs=Needs(weights=("*",), optimizer=True, objective=True),
    not_invariant_to=("residual rotation", "relu scaling"),
    question="Do the updates follow the gradient, and do they lengthen the weights or turn them?",
    formula="cos(a, b) = a.b / (|a| |b|); of random directions of n numbers within 2 / sqrt(n) in 95 % of cases",
    source="Kingma & Ba 2015 (arXiv 1412.6980); Kosson et al. 2023 (arXiv 2305.17212); null: Cai, Fan & Jiang 2013",
    outputs={
        "NAME/update_{gradient,momentum,weights}": "() cosine of Adam's update with the direction down the gradient, "
        "down the averaged gradient, and the weights; NAME is a weight's role, or total for all that Adam trains",
        "NAME/gradient_{momentum,weights}": "() of the direction down the gradient with the other two",
        "NAME/momentum_weights": "() of the direction down the averaged gradient with the weights",
        "NAME/null": "() 2 / sqrt(n), beyond which random directions lie in 5 % of cases",
    },
)


def last_update(snapshot: Snapshot) -> NestedArrays:
    """The last update taken back, and parted into what the gradient, earlier ones and the decay made of it.

    w_(t-1) = (w_t + rate u) / (1 - rate lambda) with u = m_hat / (sqrt(v_hat) + eps), exact to the rounding of w_t. The
    move w_t - w_(t-1) is the sum of -rate (1 - beta1) g / ((1 - beta1^t) (sqrt(v_hat) + eps)) of the newest gradient g,
    the same of beta1 m_(t-1), the memory, and -rate lambda w_(t-1), the decay; a share is a part's projection on the
    move over the length of that, so shares add up to 1. `scaling_cosine`, of u with m, says how far dividing by
    sqrt(v_hat) turns the update. g is computed anew at w_(t-1) over the whole training set, and clipped as the training
    clips. That is what the optimizer saw only in a training here on full batches, without interventions or callbacks;
    of any other, gradient and memory are NaN. `implausible` is the share of numbers in which (1 - beta2) g^2 is more
    than v_t, which holds it: 0 where g is right, but for rounding, to which gradients near it are lost. `loss_before`
    is the loss at w_(t-1), the one that was recorded for that step; NaN where another optimizer has some of the
    weights, which is not taken back. All weights and their gradient are in memory in float64.
    """
    held = {adam.role: adam for adam in adam_weights(snapshot)}
    before = {role: weight.double() for role, weight in snapshot.weights.items()}
    before |= {role: adam.before for role, adam in held.items()}
    loss = next(iter(snapshot.losses.values()))
    loss = replace(loss, step=max(snapshot.step - 1, 0))
    gradients, factor = _newest(snapshot, loss, before)
    newest = {role: _entering(held[role], before[role], gradients[role]) for role in held if gradients}
    parts = {role: _parts(adam, before[role], newest.get(role)) for role, adam in held.items()}
    products = {role: _products(part) for role, part in parts.items()}
    outputs: dict[str, NestedArrays] = {role: _told(inner) for role, inner in products.items()}
    wrong = [_implausible(adam, newest[role]) for role, adam in held.items() if role in newest]
    size = sum(adam.weight.numel() for adam in held.values())
    outputs[_TOTAL] = {
        **_told(_summed(products)),
        "loss_before": np.asarray(loss(before)["loss"] if _all_of_adam(snapshot) else np.nan),
        "clip_factor": np.asarray(factor),
        "implausible": np.asarray(sum(wrong) / size if wrong else np.nan),
    }
    return outputs


def _all_of_adam(snapshot: Snapshot) -> bool:
    """Whether every weight before the update is known, none being of another optimizer."""
    return all(group.optimizer in KINDS for group in snapshot.optimizer_groups)


def _newest(snapshot: Snapshot, loss: LossFunction, before: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], float]:
    """The gradient of the last update and the factor it was clipped by; {} and NaN where nobody can know it."""
    config = snapshot.variant.training
    if config is None or config.batch_size is not None or config.interventions or loss.buffers:
        return {}, np.nan
    if not _all_of_adam(snapshot):
        return {}, np.nan
    gradients = loss.gradient(before, tuple(before))
    norm = sum(float(gradient.square().sum()) for gradient in gradients.values()) ** 0.5
    factor = clip_factor(norm, config.clip_norm)
    return {role: factor * gradient for role, gradient in gradients.items()}, factor


def _entering(adam: AdamWeight, before: Tensor, gradient: Tensor) -> Tensor:
    """What enters the averages: the gradient, with the decay added where that is not apart from it."""
    return gradient if adam.group.decoupled else gradient + adam.group.weight_decay * before


def _parts(adam: AdamWeight, before: Tensor, newest: Tensor | None) -> dict[str, Tensor]:
    averages, rate = adam.averages, adam.group.learning_rate
    down = -rate * averages.update
    decay = -rate * adam.decay * before
    scale = -rate / (averages.corrections[0] * (averages.root_hat + averages.eps))
    # What is not known is not a number in every product, too.
    gradient = down * np.nan if newest is None else scale * (1 - averages.betas[0]) * newest
    return {
        "move": down + decay,
        "update": down,
        "gradient": gradient,
        "memory": down - gradient,
        "decay": decay,
        "momentum": -averages.mean,
    }


def _told(inner: Products) -> dict[str, np.ndarray]:
    told = {f"{part}_length": np.asarray(inner[part, part] ** 0.5) for part in ("move", "gradient", "memory", "decay")}
    moved = inner["move", "move"]
    for part in ("gradient", "memory", "decay"):
        told[f"{part}_share"] = np.asarray(inner["move", part] / moved if moved > 0 else np.nan)
    return told | {"scaling_cosine": _cosine(inner, "update", "momentum")}


def _implausible(adam: AdamWeight, newest: Tensor) -> float:
    """Numbers whose newest gradient alone is more than the average of squares that holds it, beyond rounding."""
    alone = (1 - adam.averages.betas[1]) * newest.square()
    return float((alone > 1.01 * adam.averages.square).sum())


LAST_UPDATE = Analyzer(
    name="optimizer.last_update",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=last_update,
    needs=Needs(weights=("*",), optimizer=True, objective=True),
    not_invariant_to=("residual rotation", "relu scaling"),
    question="What was the last step made of: the gradient, the memory of earlier ones, or weight decay?",
    formula="w_(t-1) = (w_t + rate u) / (1 - rate lambda); w_t - w_(t-1) = gradient + memory + decay",
    source="Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2, solved for the weights before",
    outputs={
        "NAME/move_length": "() how far the last update moved the weights; NAME is a weight's role, or total for all "
        "that Adam trains",
        "NAME/{gradient,memory,decay}_length": "() how far its newest gradient, earlier ones and the decay alone would "
        "have; NaN of the first two where the newest gradient is not known",
        "NAME/{gradient,memory,decay}_share": "() their projections on the move over its length, which add up to 1",
        "NAME/scaling_cosine": "() cosine between the update and the averaged gradient: 1 where every number has the "
        "same sqrt(v)",
        "total/loss_before": "() loss on the training set before the update, nats",
        "total/clip_factor": "() what clipping multiplied the newest gradient by; NaN where that is not known",
        "total/implausible": "() share of the numbers in which that gradient does not fit the optimizer's averages",
    },
)
