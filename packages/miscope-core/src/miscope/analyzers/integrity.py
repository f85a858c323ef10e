"""Whether checkpoints are what they say: whole, different, in order, and of the losses that were recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.analyzers.observed.weights import audit_observed
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.duplicates import duplicated, partly_duplicated
from miscope.maths.replaying import beside
from miscope.maths.succession import detours, local_residuals, misplaced, robust_z, squared_distances, strays
from miscope.needs import Needs
from miscope.snapshot import Series, Snapshot, Trajectory

_DIGESTS, _METRICS = "integrity.digests", "behaviour.metrics"
FLAGS = ("not a number", "type changed", "duplicate", "part duplicate", "jump", "out of place")


def digests(snapshot: Snapshot) -> Arrays:
    """SHA-256 of every weight tensor, and whether its numbers are numbers."""
    columns: dict[str, list[object]] = {name: [] for name in ("role", "digest", "type", "nan", "infinite")}
    for role, tensor in snapshot.weights.items():
        values = tensor.detach().cpu().contiguous()
        columns["role"].append(role)
        columns["digest"].append(hashlib.sha256(values.numpy().tobytes()).hexdigest()[:16])
        columns["type"].append(f"{str(values.dtype).removeprefix('torch.')} {tuple(values.shape)}")
        columns["nan"].append(int(values.isnan().sum()))
        columns["infinite"].append(int(values.isinf().sum()))
    arrays = {name: np.array(values) for name, values in columns.items()}
    return arrays | {"bad_count": np.array(int(arrays["nan"].sum() + arrays["infinite"].sum()))}


DIGESTS = Analyzer(
    name=_DIGESTS,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=digests,
    needs=Needs(weights=("*",)),
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


def audit(trajectory: Trajectory[AuditOptions]) -> Arrays:
    """Which checkpoints are not what they say: damaged, doubled, or not between their neighbours.

    A duplicate is flagged where it fits worse. A jump goes to a checkpoint and back in some tensor, both much faster
    than the moves around; out of place is much nearer to a checkpoint elsewhere than to its neighbours. A run that only
    fluctuates, or that has slingshots, keeps its flags off: both tests also ask for a detour that noise does not make.
    """
    options, steps = trajectory.options, trajectory.steps
    if len(steps) < 2:
        raise DoesNotApply("it has one checkpoint, which succeeds nothing")
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
    observe=audit_observed,
    needs=Needs(reads=(_DIGESTS,), weights=("*",)),
    options=AuditOptions,
    not_invariant_to=("relu scaling",),
    question="Are these really successive states of one run?",
    formula="detour_i = (|w_i - w_{i-1}| + |w_{i+1} - w_i|) / |w_{i+1} - w_{i-1}|; z of log speed about a local line",
    source="EleutherAI/pythia issues 83, 108, 195, 198, 203, 205, 206; allenai/OLMo issue 915",
    outputs={
        "at": "(T,) steps of the checkpoints",
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
    """Log ratio up to which two losses are the same, and no checkpoint stands out from the others."""
    apart: float = 0.05
    """Log ratio beyond which all losses, or those of a few checkpoints, are not the recorded ones."""
    reach: float = 2.0
    """Spacings of the record up to which its nearest entry is compared with."""
    z: float = 6.0
    """Robust standard deviations from the typical log ratio at which a checkpoint stands out."""
    few: Count = 5
    """Checkpoints below which none can stand out: each is judged by itself."""


def replay(trajectory: Trajectory[ReplayOptions]) -> Arrays:
    """The losses that the checkpoints have now beside the nearest of those that were recorded in training.

    A checkpoint is flagged where the log ratio of the two differs from what it is at most others, beyond the tolerance
    and what the record itself moves over the distance to it. Where all of them are apart, or where there are only a
    few, they are judged by the ratio itself: the data, the split or the loss are not those of the record. `lag` is the
    offset in records at which they agree best: 1 where a record was made before the step it is named for. What was
    compared with nothing is NaN.
    """
    options, measured = trajectory.options, trajectory.artifacts[_METRICS]
    outputs: dict[str, np.ndarray] = {"at": trajectory.steps.astype(np.int64)}
    for name in ("train_loss", "test_loss"):
        if name in measured and len(trajectory.metrics[name].steps if name in trajectory.metrics else ()):
            now = np.asarray(measured[name], dtype=np.float64)
            arrays = _compared(now, trajectory.metrics[name], trajectory.steps, options)
            outputs |= {f"{name}/{what}": array for what, array in arrays.items()}
    flags = [array for name, array in outputs.items() if name.endswith("/flag")]
    if not flags:
        raise DoesNotApply("no loss was recorded that could be computed anew")
    ratios = [array for name, array in outputs.items() if name.endswith("/log_ratio")]
    compared = int(np.any(np.isfinite(ratios), axis=0).sum())
    count = float(np.any(flags, axis=0).sum()) if compared else np.nan
    return outputs | {"compared_count": np.array(compared), "flag_count": np.array(count)}


def _compared(now: np.ndarray, series: Series, steps: np.ndarray, options: ReplayOptions) -> Mapping[str, np.ndarray]:
    record = (series.steps, series.values)
    by_lag = {lag: beside(now, steps, record, reach=options.reach, shift=lag) for lag in (0, -1, 1)}
    unshifted, count = by_lag[0], int(np.isfinite(by_lag[0].log_ratio).sum())
    miss = {lag: _median(np.abs(one.log_ratio)) for lag, one in by_lag.items()}
    lag = min(miss, key=lambda lag: np.nan_to_num(miss[lag], nan=np.inf)) if count >= options.few else 0
    typical, best = _median(unshifted.log_ratio), by_lag[lag]
    differs = abs(_median(best.log_ratio)) > options.apart + _median(best.moved) if count else np.nan
    size = np.abs(unshifted.log_ratio) - unshifted.moved
    if differs == 1 or count < options.few:
        flag = np.isfinite(size) & ((differs == 1) | (size > options.apart))
    else:
        away = np.nan_to_num(unshifted.log_ratio - typical)
        out = np.abs(robust_z(away, options.tolerance / options.z)) > options.z
        flag = out & (np.abs(away) > options.tolerance + np.nan_to_num(unshifted.moved))
    return {
        "recorded": unshifted.recorded,
        "distance": unshifted.distance,
        "recomputed": now,
        "log_ratio": unshifted.log_ratio,
        "moved": unshifted.moved,
        "flag": flag,
        "typical": np.array(typical),
        "worst": np.array(float(np.nanmax(np.abs(unshifted.log_ratio))) if count else np.nan),
        "differs": np.array(float(differs)),
        "lag": np.array(float(lag) if count else np.nan),
    }


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


REPLAY = Analyzer(
    name="integrity.replay",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=replay,
    needs=Needs(reads=(_METRICS,), metrics=("*_loss",)),
    options=ReplayOptions,
    not_invariant_to=("token relabelling",),
    question="Do the stored weights have the losses that were recorded?",
    formula="log(recomputed / recorded), of the nearest record, less what its rounding explains: 2 eps max(loss)",
    source="Nanda et al. 2023, public checkpoints: one run's stored configuration contradicts its optimizer's",
    outputs={
        "at": "(T,) steps of the checkpoints",
        "{train_loss,test_loss}/recorded": "(T,) nats; NaN where nothing was recorded near the checkpoint",
        "{train_loss,test_loss}/distance": "(T,) steps from the checkpoint to that record; negative for one before it",
        "{train_loss,test_loss}/recomputed": "(T,) nats, float64",
        "{train_loss,test_loss}/log_ratio": "(T,) log of recomputed over recorded, beyond rounding",
        "{train_loss,test_loss}/moved": "(T,) how far the log of the record moves within twice that distance",
        "{train_loss,test_loss}/flag": "(T,) whether a checkpoint's ratio differs from that of most, or all are apart",
        "{train_loss,test_loss}/typical": "() median log ratio",
        "{train_loss,test_loss}/worst": "() largest absolute log ratio",
        "{train_loss,test_loss}/differs": "() 1 if the losses are apart throughout: of other data or another loss",
        "{train_loss,test_loss}/lag": "() records by which the recorded loss is early: where the two agree best",
        "compared_count": "() checkpoints with a record to compare with",
        "flag_count": "() checkpoints flagged; NaN where nothing could be compared",
    },
)
