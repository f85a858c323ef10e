"""Whether the loss stays low on the straight line between checkpoints, and between networks of different seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from torch import Tensor

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.barriers import barrier, profile
from miscope.maths.landscape import Landscape, parts_of
from miscope.maths.permutation import match_heads, match_units, permuted
from miscope.model import matching
from miscope.moment import Cohort, Trajectory

_MATCHED_ON = 1024
"""Inputs of the probe on which units are compared."""


class BarrierOptions(Options):
    """Which checkpoints, how many points between two of them, and on how many inputs."""

    checkpoints: int = 12
    """At most; spread evenly over the logarithm of the step, the first and the last among them."""
    alphas: int = 11
    entries: int | None = 3072
    """Tokens of inputs at most, of the training and of the other inputs; None for all."""
    seed: int = 0


def barriers(trajectory: Trajectory) -> Arrays:
    """Loss and accuracy on the straight line between any two of some checkpoints, and the barrier between them.

    B = max_alpha [L((1 - alpha) theta_1 + alpha theta_2) - (1 - alpha) L_1 - alpha L_2], in nats, on training and other
    inputs in float64. A barrier of 0 says the loss is never above the line between the ends, not that it is low.
    Frankle et al. 2020 (arXiv 1912.05671).
    """
    options = trajectory.options
    assert isinstance(options, BarrierOptions)
    if len(trajectory.steps) < 2:
        reason = f"a line needs 2 checkpoints, and it has {len(trajectory.steps)}"
        raise DoesNotApply("connectivity.barriers", trajectory.variant.name, reason)
    rows = spread(trajectory.steps, options.checkpoints)
    loaded = {role: load()[rows].double() for role, load in trajectory.weights.items()}
    points = [{role: tensor[i] for role, tensor in loaded.items()} for i in range(len(rows))]
    parts = parts_of(trajectory.model, trajectory.probe, options.entries, options.seed)
    alphas = np.linspace(0, 1, options.alphas)
    found: dict[str, np.ndarray] = {"at": trajectory.steps[rows], "alpha": alphas}
    for part, loss in parts.items():
        arrays = _between(points, {(i, j): points[j] for i, j in combinations(range(len(rows)), 2)}, loss, alphas)
        found |= {f"{part}/{name}": array for name, array in arrays.items()}
        found[f"{part}/first_to_last"] = np.array(arrays["barrier"][0, -1])
    return found


def spread(steps: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most so many steps, the first and last among them, even in the logarithm of the step."""
    if len(steps) <= most:
        return np.arange(len(steps))
    logs = np.log(np.maximum(steps - steps[0], 0) + max(1, steps[1] - steps[0]))
    wanted = np.linspace(logs[0], logs[-1], most)
    nearest = {int(np.abs(logs - target).argmin()) for target in wanted}
    return np.array(sorted({0, len(steps) - 1} | nearest))


def _between(
    points: Sequence[Mapping[str, Tensor]],
    others: Mapping[tuple[int, int], Mapping[str, Tensor]],
    loss: Landscape,
    alphas: np.ndarray,
) -> dict[str, np.ndarray]:
    """Profiles from points[i] to others[i, j] for every pair i < j; from j to i they are the same read backwards."""
    n = len(points)
    losses, accuracies = np.zeros((n, n, len(alphas))), np.zeros((n, n, len(alphas)))
    for i in range(n):
        losses[i, i], accuracies[i, i] = loss(points[i])
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
    version=1,
    grain=Grain.TRAJECTORY,
    compute=barriers,
    weights=("*",),
    labels=True,
    runs=True,
    heavy=True,
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

    alphas: int = 11
    entries: int | None = 3072
    seed: int = 0


def seeds(cohort: Cohort) -> Arrays:
    """Barriers between the last checkpoints of several variants, as they are and with their units in matching order.

    Neurons are matched by the correlation of their activations, heads by their attention patterns, each layer by the
    order that is best of all. The residual stream is left as it is: networks that write it in other directions stay
    apart. Inputs and training set are the first variant's. Entezari et al. 2021; Ainsworth et al. 2022.
    """
    options = cohort.options
    assert isinstance(options, SeedOptions)
    members = cohort.members
    _need_alike(cohort)
    points = [{role: load()[-1].double() for role, load in one.weights.items()} for one in members]
    first = members[0]
    parts = parts_of(first.model, first.probe, options.entries, options.seed)
    alphas = np.linspace(0, 1, options.alphas)
    seen = [_responses(one, first, weights) for one, weights in zip(members, points, strict=True)]
    found: dict[str, np.ndarray] = {"variant": np.array([one.variant.name for one in members]), "alpha": alphas}
    pairs = list(combinations(range(len(members)), 2))
    matched = {(i, j): _matched(first.axes, points[j], seen[i], seen[j]) for i, j in pairs}
    for part, loss in parts.items():
        for when, others in (
            ("before", {(i, j): points[j] for i, j in pairs}),
            ("after", {pair: moved for pair, (moved, _) in matched.items()}),
        ):
            arrays = _between(points, others, loss, alphas)
            found |= {f"{part}/{when}_{name}": array for name, array in arrays.items()}
    for site in matched[pairs[0]][1]:
        agreement = np.eye(len(members))
        for (i, j), (_, alike) in matched.items():
            agreement[i, j] = agreement[j, i] = alike[site]
        found[f"{site}/correlation"] = agreement
    return found


def _need_alike(cohort: Cohort) -> None:
    shapes = [{role: tuple(load().shape[1:]) for role, load in one.weights.items()} for one in cohort.members]
    names = ", ".join(one.variant.name for one in cohort.members)
    if len(shapes) < 2:
        raise DoesNotApply("connectivity.seeds", names, "a line needs two networks, and there is one")
    if any(shape != shapes[0] for shape in shapes):
        raise DoesNotApply("connectivity.seeds", names, "their weights differ in shape, so no line joins them")


def _responses(member: Trajectory, first: Trajectory, weights: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Activations of neurons and patterns of heads, by site, on the first member's inputs."""
    assert member.model is not None
    inputs = first.probe.inputs[:: max(1, len(first.probe.inputs) // _MATCHED_ON)]
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    sites = matching(("blocks.*.mlp.hook_post", "blocks.*.attn.hook_pattern"), sorted(member.model.sites))
    found = member.model.answers(weights, inputs, sites) if sites else {}
    return {site: found[site].double().numpy() for site in sites}


def _matched(
    axes: Mapping[str, tuple[str, ...]],
    other: Mapping[str, Tensor],
    seen_first: Mapping[str, np.ndarray],
    seen_other: Mapping[str, np.ndarray],
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """The other network with its units in the first's order, and how well neurons agree, by site."""
    orders, alike = {}, {}
    for site, responses in seen_first.items():
        layer = ".".join(site.split(".")[:2])
        if site.endswith("hook_pattern"):
            orders[layer, "head"] = match_heads(responses, seen_other[site])
        else:
            orders[layer, "d_mlp"], alike[site] = match_units(responses, seen_other[site])
    return permuted(other, axes, orders), alike


_SEED_PARTS = "nats; PART is train and test of the first variant, or all"

SEEDS = Analyzer(
    name="connectivity.seeds",
    version=1,
    grain=Grain.COHORT,
    compute=seeds,
    weights=("*",),
    labels=True,
    runs=True,
    heavy=True,
    options=SeedOptions,
    question="Do networks of different seeds lie in one valley once their units are put in the same order?",
    formula="B(theta_1, P theta_2) with the permutation P of neurons that maximises the correlation of activations",
    source="Entezari et al. 2021 (arXiv 2110.06296); Ainsworth et al. 2022 (arXiv 2209.04836), section 3.1",
    outputs={
        "variant": "(n,) names, in order",
        "PART/before_barrier": f"(n, n) barrier as they are, {_SEED_PARTS}",
        "PART/after_barrier": "(n, n) the same with matching units",
        "PART/before_loss": "(n, n, A) float32, loss along the line",
        "PART/after_loss": "(n, n, A) float32, the same with matching units",
        "PART/before_accuracy": "(n, n, A) float32, accuracy along the line",
        "PART/after_accuracy": "(n, n, A) float32, the same with matching units",
        "SITE/correlation": "(n, n) mean correlation of matched neurons",
        "alpha": "(A,) places on the line, 0 to 1",
    },
)
