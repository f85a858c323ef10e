"""Weights as such: how large they are, what path they take, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.observed.weights import norms_observed, path_observed
from miscope.artifact import Arrays, NestedArrays
from miscope.errors import DoesNotApply
from miscope.maths.driven_walk import drift_of, drifting, pull_of, pulled
from miscope.maths.path_course import course
from miscope.maths.path_pca import centred_gram, components_of_gram, cosine_agreement, distances, shapes
from miscope.maths.random_walk import effective_dimension, null_of, walk
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

_UNITS = {"head": "head", "d_mlp": "neuron"}
"""Axes whose entries are units of their own, and what one is called."""

_GROUPS = {"attention": (".attn.",), "mlp": (".mlp.",), "embedding": ("W_E", "W_pos", "W_U", "embed")}
"""What a role's name holds, by group; a role that holds none of it is in 'all' only."""


def norms(snapshot: Snapshot) -> Arrays:
    """Sum of squares and of absolute values of every weight tensor, of its heads and neurons, and of all together.

    Squares are |W|_F^2, the quantity that weight decay acts on.
    """
    outputs: dict[str, np.ndarray] = {}
    squares, absolute = 0.0, 0.0
    for role, tensor in snapshot.weights.items():
        exact = tensor.double()
        outputs[f"{role}/squares"] = np.array(float(exact.square().sum()))
        outputs[f"{role}/l1"] = np.array(float(exact.abs().sum()))
        squares += outputs[f"{role}/squares"]
        absolute += outputs[f"{role}/l1"]
        for axis, unit in _UNITS.items():
            if axis in snapshot.axes[role]:
                outputs[f"{role}/squares_by_{unit}"] = _squares_along(exact, snapshot.axes[role].index(axis))
    return outputs | {"total/squares": np.asarray(squares), "total/l1": np.asarray(absolute)}


def _squares_along(tensor: Tensor, axis: int) -> np.ndarray:
    return tensor.movedim(axis, 0).reshape(tensor.shape[axis], -1).square().sum(dim=1).numpy()


NORMS = Analyzer(
    name="parameters.norms",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=norms,
    observe=norms_observed,
    needs=Needs(weights=("*",)),
    not_invariant_to=("residual rotation", "relu scaling"),
    question="How large is every weight tensor, and when does weight decay win?",
    formula="|W|_F^2 = sum of squared entries; |W|_1 = sum of absolute ones",
    source="Nanda et al. 2023 (arXiv 2301.05217), figure 6d",
    outputs={
        "ROLE/squares": "() sum of squared entries",
        "ROLE/l1": "() sum of absolute entries",
        "ROLE/squares_by_head": "(H,) sum of squares of each head, where the tensor has heads",
        "ROLE/squares_by_neuron": "(M,) sum of squares of each neuron, where the tensor has neurons",
        "total/squares": "() sum of squares of all weights",
        "total/l1": "() sum of absolute values of all weights",
    },
)


class PathOptions(Options):
    """How many components are kept, and how the null is drawn."""

    components: Count = 10
    """Kept, of the path of all weights and of each group's."""
    draws: Count = 200
    """Walks in each null."""
    null_components: Count = 4
    """Components of which the nulls are drawn."""
    seed: Whole = 0


def trajectory(shown: Trajectory[PathOptions]) -> NestedArrays:
    """Principal components of the path of the weights, all together and by group, beside a random walk's.

    Exact, from the Gram matrix over checkpoints. A loop in components 2 and 3 is what any high-dimensional random walk
    shows (Antognini & Sohl-Dickstein 2018), so every number comes with the bands of walks whose steps have the same
    lengths, in as many dimensions as steps have that go every way alike within each tensor: aimless ones, ones that
    drift so as to end as far from their start, and ones pulled towards a place as strongly as these weights are.
    Checkpoints count equally, whatever lies between them. Areas are NaN where there are too few.
    """
    options = shown.options
    _need(shown, 3)
    gram, lengths, size = {}, {}, {}
    for role, points in _points(shown):
        gram[role] = centred_gram(points)
        lengths[role] = _squared_lengths(points)
        size[role] = points.shape[1]
    outputs: dict[str, NestedArrays] = {}
    for group, roles in _groups(gram).items():
        steps = np.sqrt(sum(lengths[role] for role in roles))
        dimension = effective_dimension([lengths[role].sum() for role in roles], [size[role] for role in roles])
        outputs[group] = _path({role: gram[role] for role in roles}, steps, dimension, options)
    return outputs


def _path(
    gram: Mapping[str, np.ndarray], lengths: np.ndarray, dimension: int, options: PathOptions
) -> dict[str, np.ndarray]:
    together = np.sum(list(gram.values()), axis=0)
    path = components_of_gram(together, options.components)
    count = min(options.null_components, path.scores.shape[1])
    by_role = np.stack([np.einsum("tk,ts,sk->k", path.directions, g, path.directions) for g in gram.values()], axis=1)
    power = path.variance * len(path.scores)
    area = shapes(path.scores)
    return {
        "scores": path.scores,
        "explained": path.explained,
        "area": area,
        "distance": distances(together).astype(np.float32),
        "cosine": cosine_agreement(path.scores[:, :count]),
        "dimension": np.asarray(dimension),
        "role": np.array(list(gram)),
        "loading": by_role / np.where(power > 0, power, 1.0)[:, None],
        "pc1_share": np.asarray(path.explained[0]),
        **_beside_nulls(together, lengths, area, dimension, options),
    }


def _beside_nulls(
    gram: np.ndarray, lengths: np.ndarray, area: np.ndarray, dimension: int, options: PathOptions
) -> dict[str, np.ndarray]:
    drift, drive = drift_of(lengths, distances(gram)[0, -1]), pull_of(gram)
    drawn: Mapping[str, Callable[[np.random.Generator], np.ndarray]] = {
        "null": lambda random: walk(lengths, dimension, random),
        "drift": lambda random: drifting(lengths, dimension, drift, random),
        "pull": lambda random: pulled(lengths, dimension, drive, random),
    }
    count = min(options.null_components, len(gram) - 1)
    arrays = {"drift": np.array(drift), "pull": np.array(drive.pull), "reach": np.array(drive.reach)}
    for kind, draw in drawn.items():
        null = null_of(draw, draws=options.draws, seed=options.seed, count=count)
        arrays |= {
            f"{kind}_explained": null.explained,
            f"{kind}_area": null.area,
            f"{kind}_cosine": null.cosine,
            f"{kind}_path": null.path,
            f"{kind}_area_p": _p_value(area, null.areas),
        }
    return arrays


def _p_value(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + draws at least as large) / (1 + draws); NaN where there is nothing to compare."""
    p = (1 + (null >= observed).sum(axis=0)) / (1 + len(null))
    return np.where(np.isfinite(observed), p, np.nan)


TRAJECTORY = Analyzer(
    name="parameters.trajectory",
    version=5,
    grain=Grain.TRAJECTORY,
    synonyms=("PCA", "principal components"),
    compute=trajectory,
    observe=path_observed,
    needs=Needs(weights=("*",)),
    options=PathOptions,
    not_invariant_to=("relu scaling",),
    question="What path did the weights take, and would a random walk look the same?",
    formula="scores = eigenvectors of the centred Gram matrix over checkpoints x sqrt(eigenvalue)",
    source="Antognini & Sohl-Dickstein 2018, PCA of high dimensional random walks (arXiv 1806.08805)",
    outputs={
        "GROUP/scores": "(T, k) coordinates of each checkpoint; GROUP is all, embedding, attention or mlp",
        "GROUP/explained": "(k,) share of variance of each component",
        "GROUP/area": "(2,) loop area over bounding box, components 1-2 and 2-3",
        "GROUP/distance": "(T, T) float32, distance between any two checkpoints",
        "GROUP/cosine": "(c,) |correlation| of component k with cos(pi k t / T); NaN where it does not vary",
        "GROUP/dimension": "() dimensions of the walks",
        "GROUP/drift": "() cosine between a drifting walk's steps and their common direction; 0 where it is aimless",
        "GROUP/pull": "() share of the way to one place that a checkpoint's step goes (Ornstein-Uhlenbeck)",
        "GROUP/reach": "() distance of that place from the start; 0 without a pull",
        "GROUP/NULL_explained": "(3, c) 2.5, 50 and 97.5 % of walks with the same step lengths; NULL is null, aimless, "
        "drift, that end as far from their start, or pull, drawn towards that place",
        "GROUP/NULL_area": "(3, 2) the same of the areas",
        "GROUP/NULL_area_p": "(2,) share of the walks whose loop is at least as large; small where it is an excess",
        "GROUP/NULL_cosine": "(3, c) the same of the correlations",
        "GROUP/NULL_path": "(T, c) coordinates of one such walk",
        "GROUP/role": "(R,) weight tensors of the group",
        "GROUP/loading": "(k, R) share of each component's variance that each of them carries",
        "GROUP/pc1_share": "() share of variance of the first component",
    },
)


def velocity(shown: Trajectory) -> NestedArrays:
    """How fast the weights move and how straight, all together, by group and by tensor.

    Speed is |theta_{i+1} - theta_i| over the number of steps between the two checkpoints.
    """
    _need(shown, 2)
    parts: dict[str, dict[str, np.ndarray]] = {role: _motion(points) for role, points in _points(shown)}
    outputs: dict[str, np.ndarray | NestedArrays] = {"midpoint": (shown.steps[1:] + shown.steps[:-1]) / 2}
    for name, roles in (_groups(parts) | {role: [role] for role in parts}).items():
        together = {what: np.sum([parts[role][what] for role in roles], axis=0) for what in parts[roles[0]]}
        outputs[name] = _speeds(together, np.diff(shown.steps))
    return outputs


def _motion(points: np.ndarray) -> dict[str, np.ndarray]:
    """Sums of squares and products that add up over tensors."""
    moves = np.diff(points, axis=0)
    return {
        "moved": _squares(moves),
        "size": _squares(points),
        "turned": np.einsum("tn,tn->t", moves[1:], moves[:-1], dtype=np.float64),
        "from_start": _squares(points - points[0]),
        "to_end": _squares(points - points[-1]),
    }


def _speeds(sums: Mapping[str, np.ndarray], gaps: np.ndarray) -> dict[str, np.ndarray]:
    moved = np.sqrt(sums["moved"])
    size = np.sqrt((sums["size"][1:] + sums["size"][:-1]) / 2)
    return {
        "speed": moved / gaps,
        "relative": moved / gaps / np.where(size > 0, size, np.nan),
        **course(sums["moved"], sums["turned"], from_start=sums["from_start"], to_end=sums["to_end"]),
    }


VELOCITY = Analyzer(
    name="parameters.velocity",
    version=3,
    grain=Grain.TRAJECTORY,
    compute=velocity,
    needs=Needs(weights=("*",)),
    not_invariant_to=("relu scaling",),
    question="How fast do the weights move, and how straight?",
    formula="speed = |theta_(i+1) - theta_i| / (s_(i+1) - s_i); turning = cosine of successive moves",
    source="kinematics of the checkpoints, without a model",
    outputs={
        "midpoint": "(T-1,) steps half way between checkpoints",
        "NAME/speed": "(T-1,) distance moved per step; NAME is all, embedding, attention, mlp or a tensor's role",
        "NAME/relative": "(T-1,) speed over the length of the weights: |d log W| per step",
        "NAME/turning": "(T-2,) cosine between successive moves: 1 straight on, 0 a right angle; NaN beside "
        "one of no length",
        "NAME/length": "(T,) length of the path so far",
        "NAME/from_start": "(T,) distance to the first checkpoint",
        "NAME/to_end": "(T,) distance to the last one",
        "NAME/straightness": "() distance from first to last over the length of the path",
    },
)


def _need(shown: Trajectory, points: int) -> None:
    if len(shown.steps) < points:
        reason = f"a path needs {points} checkpoints, and it has {len(shown.steps)}"
        raise DoesNotApply(reason)


def _points(shown: Trajectory) -> Iterator[tuple[str, np.ndarray]]:
    """Each tensor over time as (T, n), one in memory at a time."""
    for role, load in shown.weights.items():
        yield role, load().reshape(len(shown.steps), -1).numpy()


def _groups(roles: Mapping[str, object]) -> dict[str, list[str]]:
    groups = {"all": list(roles)}
    for group, parts in _GROUPS.items():
        groups[group] = [role for role in roles if any(part in role for part in parts)]
    return {group: members for group, members in groups.items() if members}


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("tn,tn->t", rows, rows, dtype=np.float64)


def _squared_lengths(points: np.ndarray) -> np.ndarray:
    return _squares(np.diff(points, axis=0))
