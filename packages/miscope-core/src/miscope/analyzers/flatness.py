"""How fast the loss rises around the weights, and what the landscape looks like along the path of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.landscape import KINDS, add, drawn, scaled
from miscope.maths.path_pca import centred_gram, components_of_gram
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.loss_function import LossFunction


class PerturbationOptions(Options):
    """Which directions, how far, and on how many inputs."""

    directions: Count = 8
    """Each is gone both ways."""
    relative: tuple[float, ...] = (0.03, 0.1)
    """Radii as a share of each tensor's length."""
    filter: tuple[float, ...] = (0.1,)
    """Radii as a share of the length of each unit's weights."""
    isotropic: tuple[float, ...] = (0.5, 2.0)
    """Radii in the space of all weights."""
    entries: Count | None = 6144
    """Tokens of training inputs at most, all inputs together, the same ones at every checkpoint; None for all."""
    seed: Whole = 0


def perturbation(snapshot: Snapshot[PerturbationOptions]) -> Arrays:
    """Rise of the training loss at a distance from the weights, along random directions gone both ways.

    Delta = L(theta + eps u) - L(theta), the mean of u and -u for each direction, so that the slope cancels; `sem` is
    over directions, which are the same at every checkpoint. Isotropic: |u| = 1, and 2 mean(Delta) D / eps^2 estimates
    the trace of the Hessian, exactly so on a quadratic bowl. Relative: |u_W| = |W| for each tensor. Filter: the same
    for each neuron, head or token. The isotropic numbers change when a ReLU unit is rescaled (Dinh et al. 2017), those
    by filter do not. The loss is the one trained on, with all its terms, of the training examples where they are known,
    else of all; float64. Li et al. 2018.
    """
    options = snapshot.options
    loss = next(iter(snapshot.losses.values())).sample(options.entries, options.seed)
    weights = {role: tensor.double() for role, tensor in snapshot.weights.items()}
    at_weights = loss(weights)
    here = at_weights["total"]
    size = sum(tensor.numel() for tensor in weights.values())
    outputs: dict[str, np.ndarray] = {"loss": np.array(here)}
    outputs |= {name: np.array(at_weights[name]) for name in ("accuracy",) if name in at_weights}
    for kind in KINDS:
        radii = np.array(getattr(options, kind), dtype=np.float64)
        if not len(radii) or not options.directions:
            continue
        rises = np.array([_rises(snapshot, weights, kind, loss, i) for i in range(options.directions)]) - here
        outputs |= {f"{kind}/{name}": array for name, array in _summary(rises, radii).items()}
        outputs[f"{kind}/increase"] = outputs[f"{kind}/mean"][0].copy()
    if "isotropic/mean" in outputs:
        factor = 2 * size / outputs["isotropic/radius"] ** 2
        outputs["isotropic/trace"] = factor * outputs["isotropic/mean"]
        outputs["isotropic/trace_sem"] = factor * outputs["isotropic/sem"]
    return {name: np.asarray(array) for name, array in outputs.items()}


def _rises(snapshot: Snapshot, weights: Mapping[str, Tensor], kind: str, loss: LossFunction, index: int) -> np.ndarray:
    """(radius, 2) loss at both ends of one direction."""
    along = scaled(drawn(weights, snapshot.options.seed, index), weights, kind, snapshot.axes)
    radii = getattr(snapshot.options, kind)
    return np.array([[loss(add(weights, along, sign * radius))["total"] for sign in (1, -1)] for radius in radii])


def _summary(rises: np.ndarray, radii: np.ndarray) -> dict[str, np.ndarray]:
    """rises: (direction, radius, 2)."""
    pairs = rises.mean(axis=2)
    count = len(pairs)
    sem = pairs.std(axis=0, ddof=1) / count**0.5 if count > 1 else np.full(len(radii), np.nan)
    flat = rises.transpose(1, 0, 2).reshape(len(radii), -1)
    return {
        "radius": radii,
        "mean": pairs.mean(axis=0),
        "sem": sem,
        "p90": np.percentile(flat, 90, axis=1),
        "largest": flat.max(axis=1),
        "delta": flat.astype(np.float32),
    }


PERTURBATION = Analyzer(
    name="flatness.perturbation",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=perturbation,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=PerturbationOptions,
    # The directions drawn are others when the weights lie in another order.
    not_invariant_to=("neuron order", "head order", "residual rotation", "relu scaling", "token relabelling"),
    question="How much does the training loss rise when all weights are perturbed a little?",
    formula="Delta = (L(theta + eps u) + L(theta - eps u)) / 2 - L(theta); implied tr H = 2 mean(Delta) D / eps^2",
    source="Li et al. 2018 (arXiv 1712.09913); Keskar et al. 2017; Dinh et al. 2017",
    outputs={
        "loss": "() loss as it is trained on, nats; of the training examples drawn, or of all where nobody knows "
        "which they are",
        "accuracy": "() accuracy there, where there is any",
        "KIND/radius": "(E,) distances; KIND is relative, filter or isotropic",
        "KIND/mean": "(E,) mean rise of the loss over directions, nats",
        "KIND/sem": "(E,) its standard error over directions",
        "KIND/p90": "(E,) 90 % quantile over directions and signs",
        "KIND/largest": "(E,) largest rise",
        "KIND/delta": "(E, 2 directions) float32, every single rise, u and -u in turn",
        "KIND/increase": "() mean rise at the smallest radius given",
        "isotropic/trace": "(E,) trace of the Hessian that the mean implies",
        "isotropic/trace_sem": "(E,) its standard error",
    },
)


class PlaneOptions(Options):
    """How fine and how wide the plane is drawn."""

    points: Count = 15
    """Along each side."""
    margin: float = 0.2
    """Share of the path's extent added on each side."""
    entries: Count | None = 6144
    """Tokens of training inputs at most, all inputs together; None for all."""
    seed: Whole = 0


def plane(trajectory: Trajectory[PlaneOptions]) -> Arrays:
    """Training loss on the plane of the first two principal components of the path of all weights.

    theta = mean + x d1 + y d2 with unit vectors d1, d2, so that x and y are distances. The checkpoints lie beside the
    plane, at the distance `off`: the loss beneath a checkpoint's mark is not its own. It is the loss trained on,
    with the terms of the last step. Li et al. 2018, section 7.
    """
    options = trajectory.options
    if len(trajectory.steps) < 3:
        reason = f"a plane needs 3 checkpoints, and it has {len(trajectory.steps)}"
        raise DoesNotApply(reason)
    loss = next(iter(trajectory.losses.values())).sample(options.entries, options.seed)
    gram = sum(centred_gram(_flat(load()).numpy()) for load in trajectory.weights.values())
    path = components_of_gram(np.asarray(gram), 2)
    if path.variance[1] == 0:
        raise DoesNotApply("its weights move along a line, not in a plane")
    combine = torch.from_numpy(path.directions / np.linalg.norm(path.scores, axis=0))
    middle, axes = {}, ({}, {})
    for role, load in trajectory.weights.items():
        points = load().double()
        middle[role] = points.mean(dim=0)
        for k in (0, 1):
            axes[k][role] = torch.tensordot(combine[:, k], points - middle[role], dims=1)
    sides = [_side(path.scores[:, k], options) for k in (0, 1)]
    heights = [[loss(add(add(middle, axes[0], x), axes[1], y)) for x in sides[0]] for y in sides[1]]
    off = np.sqrt(np.clip(np.diag(gram) - (path.scores**2).sum(axis=1), 0, None))
    return {
        "x": sides[0],
        "y": sides[1],
        "loss": np.array([[each["total"] for each in row] for row in heights]),
        "accuracy": np.array([[each.get("accuracy", np.nan) for each in row] for row in heights]),
        "scores": path.scores,
        "explained": path.explained,
        "off": off,
    }


def _flat(points: Tensor) -> Tensor:
    return points.reshape(len(points), -1)


def _side(scores: np.ndarray, options: PlaneOptions) -> np.ndarray:
    wider = options.margin * np.ptp(scores)
    return np.linspace(scores.min() - wider, scores.max() + wider, options.points)


PLANE = Analyzer(
    name="flatness.plane",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=plane,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=PlaneOptions,
    not_invariant_to=(
        "relu scaling",
        "token relabelling",
    ),  # the training set, over which the loss is, is not relabelled
    question="What does the training loss look like around the path that training took?",
    formula="L(mean + x d1 + y d2), d1 and d2 the first principal directions of the checkpoints",
    source="Li et al. 2018 (arXiv 1712.09913), section 7",
    outputs={
        "x": "(n,) distances along the first direction",
        "y": "(n,) distances along the second",
        "loss": "(n, n) loss as it is trained on, nats; rows are y",
        "accuracy": "(n, n) training accuracy; NaN where there is none",
        "scores": "(T, 2) where the checkpoints lie",
        "explained": "(2,) share of the path's variance along each direction",
        "off": "(T,) distance of each checkpoint from the plane",
    },
)
