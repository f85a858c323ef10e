"""Whether checkpoints are what they say: whole, different, in order, and of the losses that were recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.duplicates import duplicated, partly_duplicated
from miscope.maths.succession import detours, local_residuals, misplaced, robust_z, squared_distances, strays
from miscope.moment import Moment, Series, Trajectory

_DIGESTS, _METRICS = "integrity.digests", "behaviour.metrics"
FLAGS = ("not a number", "type changed", "duplicate", "part duplicate", "jump", "out of place")


def digests(moment: Moment) -> Arrays:
    """SHA-256 of every weight tensor, and whether its numbers are numbers."""
    found: dict[str, list[object]] = {name: [] for name in ("role", "digest", "type", "nan", "infinite")}
    for role, tensor in moment.weights.items():
        values = tensor.detach().cpu().contiguous()
        found["role"].append(role)
        found["digest"].append(hashlib.sha256(values.numpy().tobytes()).hexdigest()[:16])
        found["type"].append(f"{str(values.dtype).removeprefix('torch.')} {tuple(values.shape)}")
        found["nan"].append(int(values.isnan().sum()))
        found["infinite"].append(int(values.isinf().sum()))
    arrays = {name: np.array(values) for name, values in found.items()}
    return arrays | {"bad_count": np.array(int(arrays["nan"].sum() + arrays["infinite"].sum()))}


DIGESTS = Analyzer(
    name=_DIGESTS,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=digests,
    weights=("*",),
    question="Are the numbers of this checkpoint whole?",
    formula="SHA-256 of each tensor's bytes",
    source="EleutherAI/pythia issues 83, 108, 195, 198, 203, 205, 206: what goes wrong in published checkpoints",
    outputs={
        "role": "(R,) weight tensors",
        "digest": "(R,) first 16 hexadecimal digits of the SHA-256 of each",
        "type": "(R,) number type and shape",
        "nan": "(R,) entries that are not a number",
        "infinite": "(R,) entries that are infinite",
        "bad_count": "() entries of either kind",
    },
)


class AuditOptions(Options):
    """From when a checkpoint does not fit in with those around it."""

    z: float = 6.0
    """Robust standard deviations of the log speed, of a tensor's move to a checkpoint and of its move away."""
    detour: float = 3.0
    """Length of the way through a checkpoint over the way past it; a random walk has 1.4."""
    ratio: float = 0.5
    """Distance to some checkpoint elsewhere over the distance to its nearer neighbour."""
    end: float = 10.0
    """Times too fast that the first or the last move must be."""


def audit(trajectory: Trajectory) -> Arrays:
    """Which checkpoints are not what they say: damaged, doubled, or not between their neighbours.

    A duplicate is flagged where it fits worse. A jump goes to a checkpoint and back in some tensor, both much faster
    than the moves around; out of place is much nearer to a checkpoint elsewhere than to its neighbours. A run that only
    fluctuates, or that has slingshots, keeps its flags off: both tests also ask for a detour that noise does not make.
    """
    options, steps = trajectory.options, trajectory.steps
    assert isinstance(options, AuditOptions)
    if len(steps) < 2:
        raise DoesNotApply("integrity.audit", trajectory.variant.name, "it has one checkpoint, which succeeds nothing")
    stored = trajectory.artifacts[_DIGESTS]
    moves, distance = _moves(trajectory)
    speed = moves.once / np.diff(steps)
    bounds = {"z": options.z, "least": options.detour, "end": options.end}
    jump = [strays(fast, detours(*pair), **bounds) for fast, *pair in zip(speed, moves.once, moves.twice, strict=True)]
    flag = np.stack(
        [
            (stored["nan"] + stored["infinite"]).sum(axis=1) > 0,
            np.any(stored["type"] != stored["type"][0], axis=1),
            duplicated(stored["digest"], distance),
            partly_duplicated(stored["digest"], moves.once),
            np.any(jump, axis=0),
            misplaced(distance, ratio=options.ratio, detour=options.detour),
        ],
        axis=1,
    )
    return {
        "at": steps.astype(np.int64),
        "kind": np.array(FLAGS),
        "flag": flag,
        "flag_count": np.array(int(flag.any(axis=1).sum())),
        "distance": distance.astype(np.float32),
        **_order(distance, steps),
        "role": np.array(list(trajectory.weights)),
        "speed_z": np.stack([_z(row) for row in speed], axis=1).astype(np.float32),
        "moved": moves.once.T.astype(np.float32),
    }


class _Moves(NamedTuple):
    """How far each tensor goes from a checkpoint to the next (tensors, T-1), and to the next but one."""

    once: np.ndarray
    twice: np.ndarray


def _moves(trajectory: Trajectory) -> tuple[_Moves, np.ndarray]:
    """Every tensor's moves, and the distances (T, T) of the checkpoints over all tensors; one tensor in memory."""
    steps = trajectory.steps
    squared, once, twice = np.zeros((len(steps),) * 2), [], []
    for load in trajectory.weights.values():
        points = np.nan_to_num(load().reshape(len(steps), -1).numpy(), nan=0.0, posinf=0.0, neginf=0.0)
        squared += squared_distances(points)
        once.append(_lengths(points, 1))
        twice.append(_lengths(points, 2))
    return _Moves(np.stack(once), np.stack(twice)), np.sqrt(squared)


def _lengths(points: np.ndarray, apart: int) -> np.ndarray:
    if len(points) <= apart:
        return np.zeros(0)
    gap = points[apart:].astype(np.float64) - points[:-apart]
    return np.sqrt(np.einsum("tn,tn->t", gap, gap))


def _z(speed: np.ndarray) -> np.ndarray:
    return robust_z(local_residuals(np.log(np.maximum(speed, 1e-300))), 0.1)


def _order(distance: np.ndarray, steps: np.ndarray) -> dict[str, np.ndarray]:
    index = np.arange(len(steps))
    nearest = np.where(index[:, None] == index, np.inf, distance).argmin(axis=1)
    beside = np.abs(nearest - index) == 1
    return {"nearest": steps[nearest].astype(np.int64), "neighbour_share": np.array(float(beside.mean()))}


AUDIT = Analyzer(
    name="integrity.audit",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=audit,
    reads=(_DIGESTS,),
    weights=("*",),
    options=AuditOptions,
    varies=("relu scaling",),
    question="Are these really successive states of one run?",
    formula="detour_i = (|w_i - w_{i-1}| + |w_{i+1} - w_i|) / |w_{i+1} - w_{i-1}|; z of log speed about a local line",
    source="EleutherAI/pythia issues 83, 108, 195, 198, 203, 205, 206; allenai/OLMo issue 915",
    outputs={
        "at": "(T,) steps looked at",
        "kind": "(F,) what a flag says",
        "flag": "(T, F) whether it is raised at each checkpoint",
        "flag_count": "() checkpoints with any flag",
        "distance": "(T, T) Euclidean distance between the weights of any two checkpoints",
        "nearest": "(T,) step of the nearest other checkpoint",
        "neighbour_share": "() share of checkpoints whose nearest is the one before or after",
        "role": "(R,) weight tensors",
        "moved": "(T-1, R) distance each tensor moved between checkpoints",
        "speed_z": "(T-1, R) log of its speed less that of the moves around it, in robust standard deviations",
    },
)


class ReplayOptions(Options):
    """How far a loss may be from the recorded one."""

    tolerance: float = 1e-3
    """Log ratio up to which two losses are the same."""
    floor: float = 1e-6
    """Loss below which rounding decides, nats; smaller ones count as this."""
    z: float = 6.0
    """Robust standard deviations from the typical log ratio at which a checkpoint stands out."""


def replay(trajectory: Trajectory) -> Arrays:
    """The losses that the checkpoints have now beside those that were recorded in training.

    A checkpoint is flagged where the log ratio of the two differs from what it is at most others, beyond the tolerance.
    A `typical` ratio other than 0 means that the probe is not the data the losses were recorded on, or another loss.
    `lag` is the offset in records at which they agree best: 1 where a record was made before the step it is named for.
    """
    options, measured = trajectory.options, trajectory.artifacts[_METRICS]
    assert isinstance(options, ReplayOptions)
    found: dict[str, np.ndarray] = {"at": trajectory.steps.astype(np.int64)}
    for name in ("train_loss", "test_loss"):
        if name in measured and name in trajectory.metrics:
            arrays = _compared(measured[name], trajectory.metrics[name], trajectory.steps, options)
            found |= {f"{name}/{what}": array for what, array in arrays.items()}
    flags = [array for name, array in found.items() if name.endswith("/flag")]
    if not flags:
        raise DoesNotApply(
            "integrity.replay", trajectory.variant.name, "no loss was recorded that could be computed anew"
        )
    return found | {"flag_count": np.array(int(np.any(flags, axis=0).sum()))}


def _compared(now: np.ndarray, series: Series, steps: np.ndarray, options: ReplayOptions) -> Mapping[str, np.ndarray]:
    at = np.searchsorted(series.steps, steps)
    inside = at < len(series.steps)
    same = np.zeros(len(steps), dtype=bool)
    same[inside] = series.steps[at[inside]] == steps[inside]
    ratio = {lag: _log_ratio(now, series, at + lag, same, options.floor) for lag in (0, -1, 1)}
    miss = {lag: np.nanmedian(np.abs(r)) if np.isfinite(r).any() else np.inf for lag, r in ratio.items()}
    usable = ratio[0]
    typical = float(np.nanmedian(usable)) if same.any() else np.nan
    away = np.nan_to_num(usable - typical)
    flag = (np.abs(away) > options.tolerance) & (np.abs(robust_z(away, options.tolerance / options.z)) > options.z)
    recorded = np.full(len(steps), np.nan)
    recorded[same] = series.values[at[same]]
    return {
        "recorded": recorded,
        "recomputed": np.asarray(now, dtype=np.float64),
        "log_ratio": usable,
        "flag": flag,
        "typical": np.array(typical),
        "worst": np.array(float(np.nanmax(np.abs(usable))) if same.any() else np.nan),
        "lag": np.array(min(miss, key=lambda lag: miss[lag])),
    }


def _log_ratio(now: np.ndarray, series: Series, at: np.ndarray, same: np.ndarray, floor: float) -> np.ndarray:
    found = np.full(len(now), np.nan)
    usable = same & (at >= 0) & (at < len(series.steps))
    then = np.maximum(series.values[at[usable]], floor)
    found[usable] = np.log(np.maximum(now[usable], floor) / then)
    return found


REPLAY = Analyzer(
    name="integrity.replay",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=replay,
    reads=(_METRICS,),
    metrics=("*_loss",),
    options=ReplayOptions,
    question="Do the stored weights have the losses that were recorded?",
    formula="log(recomputed / recorded), both no less than 1e-6 nats",
    source="Nanda et al. 2023, public checkpoints: one run's stored configuration contradicts its optimizer's",
    outputs={
        "at": "(T,) steps looked at",
        "{train_loss,test_loss}/recorded": "(T,) nats; NaN where nothing was recorded at a checkpoint's step",
        "{train_loss,test_loss}/recomputed": "(T,) nats, float64",
        "{train_loss,test_loss}/log_ratio": "(T,) log of recomputed over recorded",
        "{train_loss,test_loss}/flag": "(T,) whether a checkpoint's ratio differs from that of most",
        "{train_loss,test_loss}/typical": "() median log ratio",
        "{train_loss,test_loss}/worst": "() largest absolute log ratio",
        "{train_loss,test_loss}/lag": "() records by which the recorded loss is early: where the two agree best",
        "flag_count": "() checkpoints flagged",
    },
)
