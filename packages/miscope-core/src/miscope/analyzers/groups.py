"""Groups of neurons that end with the same frequency: how they move through weight space together."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.maths.unit_groups import leading_shares, shuffled_shares, spread
from miscope.needs import Needs
from miscope.snapshot import Trajectory

_UNIT = "d_mlp"
_SHARES = 3


class GroupOptions(Options):
    """Which groups count, and how the null is drawn."""

    least: Count = 4
    """Neurons of the smallest group that is measured."""
    most: Count = 10
    """Groups, the largest first."""
    draws: Count = 20
    """Shufflings of the groups in the null, at each of a few checkpoints."""
    seed: Whole = 0


def geometry(trajectory: Trajectory[GroupOptions]) -> Arrays:
    """Spread, distances, components and turning of each group of neurons in the space of their incoming weights.

    A group is the neurons with the same dominant block at the last checkpoint, by neurons.frequencies. `null` is the
    share of variance that groups as large of neurons drawn at random have in two components. Grouping by the end makes
    the end look tidy: only what sets groups apart before it, or beyond the null, is a finding. Neurons of one
    frequency come in all phases, so their centre lies near zero; `captured` says when the plane of the end was there.
    """
    options = trajectory.options
    outputs: dict[str, np.ndarray] = {}
    arrays = trajectory.artifacts["neurons.frequencies"]
    for role, name in _layers(trajectory).items():
        if f"{name}/dominant" not in arrays:
            continue
        points = _neurons(trajectory, role)
        labels, names = _grouped(np.asarray(arrays[f"{name}/dominant"][-1]).astype(str), options)
        if len(names):
            measured = _measured(points, labels, len(names), options)
            outputs |= {f"{name}/{what}": array for what, array in measured.items()}
            outputs |= {f"{name}/group": names, f"{name}/member": labels.astype(np.int32)}
    if not outputs:
        reason = f"no {options.least} of its neurons form a group"
        raise DoesNotApply(reason)
    return outputs


def _layers(trajectory: Trajectory) -> dict[str, str]:
    """Incoming weights of each layer of neurons -> the site of their activations."""
    layers = {}
    for role, axes in trajectory.axes.items():
        if axes[-1] == _UNIT and len(axes) == 2:
            site = f"{role.rpartition('.')[0]}.hook_post" if ".mlp." in role else "blocks.0.mlp.hook_post"
            layers.setdefault(site, role)
    if not layers:
        raise DoesNotApply("its weights have no neurons")
    return {role: site for site, role in layers.items()}


def _neurons(trajectory: Trajectory, first: str) -> np.ndarray:
    """(T, M, d) incoming weights of each neuron: of all embeddings that feed it, if there are several."""
    same = trajectory.axes[first]
    together = [role for role, axes in trajectory.axes.items() if axes[-1] == _UNIT and len(axes) == len(same) == 2]
    roles = [first] if ".mlp." in first else together
    return np.concatenate([trajectory.weights[role]().numpy() for role in roles], axis=1).swapaxes(1, 2)


def _grouped(dominant: np.ndarray, options: GroupOptions) -> tuple[np.ndarray, np.ndarray]:
    """(group of each neuron or -1, names), the largest groups first."""
    names, sizes = np.unique(dominant[dominant != ""], return_counts=True)
    order = [g for g in np.argsort(-sizes, kind="stable") if sizes[g] >= options.least][: options.most]
    labels = np.full(len(dominant), -1)
    for place, g in enumerate(order):
        labels[dominant == names[g]] = place
    return labels, names[order]


def _measured(points: np.ndarray, labels: np.ndarray, groups: int, options: GroupOptions) -> dict[str, np.ndarray]:
    steps = len(points)
    exact = points.astype(np.float64)
    centres, width = np.zeros((steps, groups, points.shape[2])), np.zeros((steps, groups))
    shares = np.zeros((steps, groups, _SHARES))
    for t in range(steps):
        for g in range(groups):
            members = exact[t, labels == g]
            centres[t, g], width[t, g] = spread(members)
            shares[t, g] = leading_shares(members, _SHARES)
    inside = labels >= 0
    null_rows = evenly_spaced(steps, 5)
    null = np.stack(
        [
            shuffled_shares(exact[t, inside], labels[inside], groups=groups, draws=options.draws, seed=options.seed)
            for t in null_rows
        ]
    )
    between = np.linalg.norm(centres[:, :, None] - centres[:, None], axis=-1)
    planes = [_plane(exact[-1, labels == g]) for g in range(groups)]
    tracks = np.full((steps, points.shape[1], 2), np.nan, dtype=np.float16)
    for g, (plane, middle, _) in enumerate(planes):
        tracks[:, labels == g] = (exact[:, labels == g] - middle) @ plane.T
    return {
        "size": np.bincount(labels[inside], minlength=groups),
        "spread": width,
        "length": np.linalg.norm(centres, axis=-1),
        "between": between.astype(np.float32),
        "separation": _separation(between, width),
        "shares": shares,
        "null_rows": null_rows,
        "null": np.percentile(null, (2.5, 50, 97.5), axis=1),
        "turning": _turning(centres),
        "captured": _captured(exact, labels, [plane for plane, _, _ in planes]),
        "tracks": tracks,
        "explained": np.array([explained for _, _, explained in planes]),
    }


def _plane(last: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(2, d) first principal directions of a group's neurons, their centre, and the directions' shares of variance."""
    middle = last.mean(axis=0)
    axes = np.linalg.svd(last - middle, full_matrices=False)[2][:2]
    if len(axes) < 2:
        axes = np.concatenate([axes, np.zeros_like(axes)])
    return axes, middle, leading_shares(last, 2)


def _captured(points: np.ndarray, labels: np.ndarray, planes: list[np.ndarray]) -> np.ndarray:
    """(T, G) share of a group's variance that lies in the plane it ends with."""
    shares = np.zeros((len(points), len(planes)))
    for g, plane in enumerate(planes):
        members = points[:, labels == g]
        centred = members - members.mean(axis=1, keepdims=True)
        total = (centred**2).sum(axis=(1, 2))
        shares[:, g] = ((centred @ plane.T) ** 2).sum(axis=(1, 2)) / np.where(total > 0, total, np.inf)
    return shares


def _separation(between: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(T,) mean distance between centres over the mean spread; NaN with one group, or none that spreads."""
    groups = between.shape[1]
    if groups < 2:
        return np.full(len(between), np.nan)
    apart = between.sum(axis=(1, 2)) / (groups * (groups - 1))
    wide = width.mean(axis=1)
    return apart / np.where(wide > 0, wide, np.nan)


def _turning(centres: np.ndarray) -> np.ndarray:
    """(T-2, G) angle in radians between successive moves of each centre; NaN where it stands still."""
    moves = np.diff(centres, axis=0)
    lengths = np.linalg.norm(moves, axis=-1)
    both = lengths[1:] * lengths[:-1]
    cosine = (moves[1:] * moves[:-1]).sum(axis=-1) / np.where(both > 0, both, np.nan)
    return np.arccos(np.clip(cosine, -1, 1))


GEOMETRY = Analyzer(
    name="groups.geometry",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=geometry,
    needs=Needs(reads=("neurons.frequencies",), weights=("*",)),
    options=GroupOptions,
    not_invariant_to=("relu scaling",),
    question="Do neurons of one frequency move together, and how far apart are the groups?",
    formula="spread = mean |w - centre|; separation = mean |centre - centre'| / mean spread; turning = angle of moves",
    source="within- and between-group geometry of incoming weights; null by shuffled groups",
    outputs={
        "SITE/group": "(G,) labels of the groups' blocks",
        "SITE/member": "(M,) group of each neuron, -1 for none",
        "SITE/size": "(G,) neurons in each",
        "SITE/spread": "(T, G) mean distance of a group's incoming weights from their centre",
        "SITE/length": "(T, G) distance of the centre from zero",
        "SITE/between": "(T, G, G) float32, distances between centres",
        "SITE/separation": "(T,) mean distance between centres over mean spread; NaN with one group",
        "SITE/shares": "(T, G, 3) share of a group's variance in its first three components",
        "SITE/null_rows": "(n,) rows of T at which the null was drawn",
        "SITE/null": "(3, n, G) 2.5, 50 and 97.5 % of the share in two components, groups shuffled",
        "SITE/turning": "(T-2, G) angle between successive moves of the centre, radians; NaN where it stands still",
        "SITE/captured": "(T, G) share of a group's variance in the plane it ends with; 2 / d for a random plane",
        "SITE/tracks": "(T, M, 2) float16, each neuron in the plane its group ends with; NaN for one of no group",
        "SITE/explained": "(G, 2) share of variance of each direction of that plane at the end",
    },
)
