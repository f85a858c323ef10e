"""Whether the loss stays low on the straight line between checkpoints, and between networks of different seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays, NestedArrays
from miscope.errors import DoesNotApply
from miscope.maths.barriers import Loss, barrier, profile
from miscope.maths.evenly_spaced import evenly_placed
from miscope.maths.permutation import Unit, match_heads, match_units, permuted
from miscope.maths.weight_matching import free, matched_weights
from miscope.model import LOGITS, matching
from miscope.needs import Needs
from miscope.snapshot import Cohort, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

_MATCHED_ON, _TRIED = 1024, 32
"""Inputs of the probe on which units are compared, and on which it is tried out whether their order is free."""


class BarrierOptions(Options):
    """Which checkpoints, how many points between two of them, and on how many inputs."""

    checkpoints: Count = 12
    """At most; spread evenly over the logarithm of the step, the first and the last among them."""
    alphas: Count = 11
    """Points on each line, both ends among them."""
    entries: Count | None = 3072
    """Tokens of inputs at most, of the training and of the other inputs; None for all."""
    seed: Whole = 0


def barriers(trajectory: Trajectory[BarrierOptions]) -> NestedArrays:
    """Loss and accuracy on the straight line between any two of some checkpoints, and the barrier between them.

    B = max_alpha [L((1 - alpha) theta_1 + alpha theta_2) - (1 - alpha) L_1 - alpha L_2], in nats, on training and other
    inputs in float64. A barrier of 0 says the loss is never above the line between the ends, not that it is low.
    Frankle et al. 2020 (arXiv 1912.05671).
    """
    options = trajectory.options
    if len(trajectory.steps) < 2:
        reason = f"a line needs 2 checkpoints, and it has {len(trajectory.steps)}"
        raise DoesNotApply(reason)
    rows = spread(trajectory.steps, options.checkpoints)
    loaded = {role: load()[rows].double() for role, load in trajectory.weights.items()}
    points = [{role: tensor[i] for role, tensor in loaded.items()} for i in range(len(rows))]
    parts = {part: loss.sample(options.entries, options.seed) for part, loss in trajectory.losses.items()}
    alphas = np.linspace(0, 1, options.alphas)
    outputs: dict[str, np.ndarray | NestedArrays] = {"at": trajectory.steps[rows], "alpha": alphas}
    for part, loss in parts.items():
        arrays = _between(points, {(i, j): points[j] for i, j in combinations(range(len(rows)), 2)}, loss, alphas)
        outputs[part] = arrays | {"first_to_last": np.array(arrays["barrier"][0, -1])}
    return outputs


def spread(steps: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most so many steps, the first and last among them, even in the logarithm of the step."""
    if len(steps) <= most:
        return np.arange(len(steps))
    logs = np.log(np.maximum(steps - steps[0], 0) + max(1, steps[1] - steps[0]))
    return evenly_placed(logs, most)


def _between(
    points: Sequence[Mapping[str, Tensor]],
    others: Mapping[tuple[int, int], Mapping[str, Tensor]],
    loss: Loss,
    alphas: np.ndarray,
) -> dict[str, np.ndarray]:
    """Profiles from points[i] to others[i, j] for every pair i < j; from j to i they are the same read backwards."""
    n = len(points)
    losses, accuracies = np.zeros((n, n, len(alphas))), np.zeros((n, n, len(alphas)))
    for i in range(n):
        here = loss(points[i])
        losses[i, i], accuracies[i, i] = here["total"], here.get("accuracy", np.nan)
    for (i, j), other in others.items():
        losses[i, j], accuracies[i, j] = profile(points[i], other, loss, alphas)
        losses[j, i], accuracies[j, i] = losses[i, j, ::-1], accuracies[i, j, ::-1]
    heights = np.array([[barrier(losses[i, j], alphas) for j in range(n)] for i in range(n)])
    return {"barrier": heights, "loss": losses.astype(np.float32), "accuracy": accuracies.astype(np.float32)}


_COMMON = {
    "alpha": "(A,) places on the line, 0 to 1",
    "PART/loss": "(K, K, A) float32, loss along the line from the first to the second, nats",
    "PART/accuracy": "(K, K, A) float32, accuracy along it",
}

BARRIERS = Analyzer(
    name="connectivity.barriers",
    version=2,
    grain=Grain.TRAJECTORY,
    synonyms=("mode connectivity",),
    compute=barriers,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=BarrierOptions,
    question="From when on is the network linearly connected to the one that training ends with?",
    formula="B = max_alpha [L((1 - alpha) theta_1 + alpha theta_2) - (1 - alpha) L_1 - alpha L_2]",
    source="Frankle et al. 2020 (arXiv 1912.05671), section 2",
    outputs={
        "at": "(K,) steps compared",
        "PART/barrier": "(K, K) nats; PART is train and test, or all where nobody knows the training set",
        "PART/first_to_last": "() barrier between the first and the last checkpoint, nats",
        **_COMMON,
    },
)


class SeedOptions(Options):
    """How many points between two networks, and on how many inputs."""

    alphas: Count = 11
    """Points on each line, both ends among them."""
    entries: Count | None = 3072
    """Tokens of inputs at most, of the training and of the other inputs; None for all."""
    seed: Whole = 0


def seeds(cohort: Cohort[SeedOptions]) -> Arrays:
    """Barriers between the last checkpoints of several variants, as they are and with their units in matching order.

    Units are the residual stream's channels, heads, what is within heads, and neurons; their order is changed where the
    answers are found not to depend on it. Neurons begin matched by the correlation of their activations and heads by
    their attention patterns; then all kinds in turn are brought to the order that is best given the others', until none
    gains. A rotation of the stream, which some networks allow, is not undone. Inputs and training set are the first
    variant's.
    """
    options = cohort.options
    members = cohort.members
    _need_alike(cohort)
    points = [{role: load()[-1].double() for role, load in one.weights.items()} for one in members]
    first = members[0]
    parts = {part: loss.sample(options.entries, options.seed) for part, loss in first.losses.items()}
    alphas = np.linspace(0, 1, options.alphas)
    pairs = list(combinations(range(len(members)), 2))
    moved = _all_matched(cohort, points)
    outputs: dict[str, np.ndarray] = {"variant": np.array([one.variant.name for one in members]), "alpha": alphas}
    for part, loss in parts.items():
        for when, others in (("before", {(i, j): points[j] for i, j in pairs}), ("after", moved)):
            arrays = _between(points, others, loss, alphas)
            outputs |= {f"{part}/{when}_{name}": array for name, array in arrays.items()}
    roles = {role: (role,) for role in first.axes} | {"all": tuple(first.axes)}
    for when, others in (("before", {(i, j): points[j] for i, j in pairs}), ("after", moved)):
        alike = {pair: _cosines(points[pair[0]], other, roles) for pair, other in others.items()}
        outputs |= {f"{name}/{when}_cosine": _symmetric(len(members), alike, name) for name in roles}
    return outputs


def _all_matched(cohort: Cohort, points: Sequence[Mapping[str, Tensor]]) -> dict[tuple[int, int], dict[str, Tensor]]:
    """For every pair of networks the second with its units in the order of the first's."""
    first = cohort.members[0]
    inputs = _compared_inputs(first)
    assert first.model is not None
    units = free(first.model, points[0], first.axes, inputs[:_TRIED])
    seen = [_responses(one, inputs, weights) for one, weights in zip(cohort.members, points, strict=True)]
    matched = {}
    for i, j in combinations(range(len(points)), 2):
        start = {unit: order for unit, order in _by_activity(seen[i], seen[j]).items() if unit in units}
        orders = matched_weights(points[i], points[j], first.axes, units, start)
        matched[i, j] = permuted(points[j], first.axes, orders)
    return matched


def _cosines(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], roles: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    """Cosine between two networks' weights, of each tensor and of all together."""
    cosines = {}
    for name, several in roles.items():
        product = sum(float((first[role] * second[role]).sum()) for role in several)
        power = [sum(float(each[role].square().sum()) for role in several) for each in (first, second)]
        cosines[name] = product / max(np.sqrt(power[0] * power[1]), np.finfo(float).tiny)
    return cosines


def _symmetric(count: int, values: Mapping[tuple[int, int], Mapping[str, float]], name: str) -> np.ndarray:
    """(n, n), 1 on the diagonal."""
    matrix = np.eye(count)
    for (i, j), by_name in values.items():
        matrix[i, j] = matrix[j, i] = by_name[name]
    return matrix


def _need_alike(cohort: Cohort) -> None:
    shapes = [{role: tuple(load().shape[1:]) for role, load in one.weights.items()} for one in cohort.members]
    if len(shapes) < 2:
        raise DoesNotApply("a line needs two networks, and there is one")
    if any(shape != shapes[0] for shape in shapes):
        raise DoesNotApply("their weights differ in shape, so no line joins them")
    model = cohort.members[0].model
    if model is not None and LOGITS not in model.sites:
        raise DoesNotApply("they give no logits, by which it is found out which units can change places")


def _compared_inputs(member: Trajectory) -> Tensor:
    inputs = member.probe.inputs[:: max(1, len(member.probe.inputs) // _MATCHED_ON)]
    return inputs.double() if inputs.is_floating_point() else inputs


def _responses(member: Trajectory, inputs: Tensor, weights: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Activations of neurons and patterns of heads, by site."""
    assert member.model is not None
    sites = matching(("blocks.*.mlp.hook_post", "blocks.*.attn.hook_pattern"), sorted(member.model.sites))
    activations = member.model.answers(weights, inputs, sites) if sites else {}
    return {site: activations[site].double().numpy() for site in sites}


def _by_activity(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> dict[Unit, np.ndarray]:
    """Orders of the second network's heads and neurons in which they do what the first one's do."""
    orders = {}
    for site, responses in first.items():
        layer = ".".join(site.split(".")[:2])
        if site.endswith("hook_pattern"):
            orders[layer, "head"] = match_heads(responses, second[site])
        else:
            orders[layer, "d_mlp"], _ = match_units(responses, second[site])
    return orders


_SEED_PARTS = "nats; PART is train and test of the first variant, or all"

SEEDS = Analyzer(
    name="connectivity.seeds",
    version=3,
    grain=Grain.COHORT,
    synonyms=("git re-basin",),
    compute=seeds,
    needs=Needs(weights=("*",), objective=True, model=True),
    opt_in=True,
    options=SeedOptions,
    question="Do networks of different seeds lie in one valley once their units are put in the same order?",
    formula="B(theta_1, P theta_2), P permutations of stream, heads and neurons that raise <theta_1, P theta_2> most",
    source="Entezari et al. 2021 (arXiv 2110.06296); Ainsworth et al. 2022 (arXiv 2209.04836), section 3.2",
    outputs={
        "variant": "(n,) names, in order",
        "PART/before_barrier": f"(n, n) barrier as they are, {_SEED_PARTS}",
        "PART/after_barrier": "(n, n) the same with matching units",
        "PART/before_loss": "(n, n, A) float32, loss along the line",
        "PART/after_loss": "(n, n, A) float32, the same with matching units",
        "PART/before_accuracy": "(n, n, A) float32, accuracy along the line",
        "PART/after_accuracy": "(n, n, A) float32, the same with matching units",
        "NAME/before_cosine": "(n, n) cosine between their weights; NAME is a tensor's role, or all",
        "NAME/after_cosine": "(n, n) the same with matching units",
        "alpha": "(A,) places on the line, 0 to 1",
    },
)
