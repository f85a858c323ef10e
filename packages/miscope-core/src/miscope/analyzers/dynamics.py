"""Whether the weights' path follows a linear law: its modes, their rates and periods, and where the law breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.driven_walk import Drive, drifting, pulled
from miscope.maths.dynamic_modes import Modes, bagged, hard_threshold, longest_even, modes
from miscope.maths.random_walk import BAND, leading_scores, walk
from miscope.needs import Needs
from miscope.snapshot import Trajectory


class ModeOptions(Options):
    """Which checkpoints, how many modes, and how the null is drawn."""

    grid: Literal["longest", "interpolate"] = "longest"
    """The longest stretch of equal gaps, or all of training interpolated to equal gaps."""
    least: Count = 8
    """Checkpoints in that stretch below which there is nothing to fit."""
    rank: Count | None = None
    """Modes; None: as many as stand out of noise by the optimal hard threshold."""
    bags: Count = 200
    """Draws for the uncertainty of the eigenvalues."""
    draws: Count = 100
    """Walks in each null."""
    seed: Whole = 0


def dynamic_modes(trajectory: Trajectory[ModeOptions]) -> Arrays:
    """Eigenvalues of the linear law that takes the weights from one checkpoint to the next, beside random walks'.

    Exact dynamic mode decomposition of the path's principal components on a uniform clock only: on unequal gaps the
    eigenvalues are wrong, not just noisy. The components of a random walk are cosines, whose modes turn too; a mode
    counts as an oscillation only where it makes a whole turn within the record and its imaginary part exceeds that of
    97.5 % of walks with the same step lengths: of aimless ones, of those that drift as far, and of those pulled to a
    place as strongly (`parameters.trajectory`). The residual is |x - predicted| / |step|. Tu et al. 2014; Redman et
    al. 2023 (arXiv 2302.09160).
    """
    options = trajectory.options
    steps, chosen = _even(trajectory, options)
    path, motion = trajectory.artifacts["parameters.trajectory"], trajectory.artifacts["parameters.velocity"]
    outputs: dict[str, np.ndarray] = {"at": steps, "gap": np.array(float(steps[1] - steps[0]))}
    for group in [name.removesuffix("/scores") for name in path if name.endswith("/scores")]:
        lengths = np.diff(np.asarray(motion[f"{group}/length"], dtype=np.float64))
        states = _states(np.asarray(path[f"{group}/scores"], dtype=np.float64), trajectory.steps, steps, chosen)
        if not lengths.any() or not np.ptp(states, axis=0).any():
            continue
        given = {name: float(path[f"{group}/{name}"]) for name in ("dimension", "drift", "pull", "reach")}
        rank, null = _rank(states, options), {}
        for kind, draw in _walks(lengths, given).items():
            random = np.random.default_rng(options.seed)
            drawn = [leading_scores(draw(random), states.shape[1])[0] for _ in range(options.draws)]
            null[kind] = _null([_states(scores, trajectory.steps, steps, chosen) for scores in drawn], rank)
        outputs |= {f"{group}/{name}": array for name, array in _of_group(states, rank, null, (steps, options)).items()}
    if len(outputs) == 2:
        raise DoesNotApply("its weights do not move")
    return outputs


def _walks(
    lengths: np.ndarray, given: Mapping[str, float]
) -> Mapping[str, Callable[[np.random.Generator], np.ndarray]]:
    """The walks a path is told from, by kind: of its own step lengths, drifting or pulled as `given` says."""
    dimension, drive = int(given["dimension"]), Drive(pull=given["pull"], reach=given["reach"])
    return {
        "null": lambda random: walk(lengths, dimension, random),
        "drift": lambda random: drifting(lengths, dimension, given["drift"], random),
        "pull": lambda random: pulled(lengths, dimension, drive, random),
    }


def _even(trajectory: Trajectory, options: ModeOptions) -> tuple[np.ndarray, slice | None]:
    """The uniform clock, and the rows of the checkpoints on it; None where they are interpolated."""
    steps = trajectory.steps
    if options.grid == "interpolate":
        if len(steps) < options.least:
            reason = f"it takes {options.least} checkpoints, and there are {len(steps)}"
            raise DoesNotApply(reason)
        return np.linspace(float(steps[0]), float(steps[-1]), len(steps)), None
    chosen = longest_even(steps)
    count = chosen.stop - chosen.start
    if count < options.least:
        reason = (
            f"it takes {options.least} checkpoints with equal gaps, and the longest stretch has {count}; "
            "the option grid='interpolate' fills the gaps"
        )
        raise DoesNotApply(reason)
    return steps[chosen].astype(np.float64), chosen


def _states(scores: np.ndarray, steps: np.ndarray, clock: np.ndarray, chosen: slice | None) -> np.ndarray:
    if chosen is not None:
        return scores[chosen]
    return np.stack([np.interp(clock, steps, column) for column in scores.T], axis=1)


def _rank(states: np.ndarray, options: ModeOptions) -> int:
    if options.rank is not None:
        return options.rank
    centred = states - states.mean(axis=0)
    return hard_threshold(np.linalg.svd(centred, compute_uv=False), (len(states), states.shape[1]))


def _residual(states: np.ndarray, fitted: Modes) -> np.ndarray:
    """(n - 1,) |x - predicted| / |step|, both within the span of the modes."""
    moved = np.linalg.norm(np.diff(states, axis=0) @ fitted.directions.T, axis=1)
    missed = np.linalg.norm((states[1:] - fitted.predicted) @ fitted.directions.T, axis=1)
    return missed / np.where(moved > 0, moved, np.nan)


def _null(walks: Sequence[np.ndarray], rank: int) -> tuple[np.ndarray, np.ndarray]:
    """(draws,) largest imaginary part of a walk's eigenvalues, and its residuals; with as many modes as the path."""
    fitted = [modes(states, rank) for states in walks]
    turning = np.array([np.abs(np.imag(one.eigenvalues)).max(initial=0) for one in fitted])
    return turning, np.array([_residual(s, one) for s, one in zip(walks, fitted, strict=True)])


def _of_group(
    states: np.ndarray,
    rank: int,
    null: Mapping[str, tuple[np.ndarray, np.ndarray]],
    clock: tuple[np.ndarray, ModeOptions],
) -> dict[str, np.ndarray]:
    steps, options = clock
    fitted = modes(states, rank)
    drawn = bagged(states, rank, draws=options.bags, seed=options.seed)
    values, gap = fitted.eigenvalues, float(steps[1] - steps[0])
    imaginary = np.imag(values)
    threshold = {kind: float(np.percentile(turning, BAND[2])) for kind, (turning, _) in null.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        period = np.where(np.abs(imaginary) > 0, 2 * np.pi * gap / np.abs(np.angle(values)), np.nan)
        rate = np.log(np.maximum(np.abs(values), np.finfo(float).tiny)) / gap
    # What has not come round once may as well be a bend in the path.
    oscillates = (np.abs(imaginary) > max(threshold.values())) & (period <= steps[-1] - steps[0])
    residual = _residual(states, fitted)
    return {
        "eigenvalue": np.stack([np.real(values), imaginary], axis=1),
        "covariance": _covariances(drawn),
        "modulus": np.abs(values),
        "modulus_band": np.nanpercentile(np.abs(drawn), (BAND[0], BAND[2]), axis=0),
        "rate": rate,
        "period": period,
        "amplitude": fitted.amplitudes,
        "oscillates": oscillates,
        "oscillations": np.array(int(oscillates[imaginary > 0].sum())),
        **{f"{kind}_imaginary": np.array(value) for kind, value in threshold.items()},
        "residual": residual,
        "null_residual": np.nanpercentile(null["null"][1], BAND, axis=0),
        "median_residual": np.array(float(np.nanmedian(residual))),
        "verdict": np.array([_verdict(int(oscillates[imaginary > 0].sum()))]),
    }


def _verdict(count: int) -> str:
    if not count:
        return "no oscillatory mode beyond what walks show"
    return f"{count} oscillatory modes" if count > 1 else "1 oscillatory mode"


def _covariances(drawn: np.ndarray) -> np.ndarray:
    """(r, 2, 2) of real and imaginary part over the draws that have the mode: few distinct pairs may span fewer."""
    covariances = np.zeros((drawn.shape[1], 2, 2))
    for mode, column in enumerate(drawn.T):
        there = column[np.isfinite(column)]
        if len(there) > 1:
            covariances[mode] = np.cov(np.stack([np.real(there), np.imag(there)]))
    return covariances


MODES = Analyzer(
    name="dynamics.modes",
    version=2,
    grain=Grain.TRAJECTORY,
    synonyms=("DMD", "dynamic mode decomposition", "Koopman"),
    compute=dynamic_modes,
    needs=Needs(reads=("parameters.trajectory", "parameters.velocity")),
    options=ModeOptions,
    question="Does the path of the weights follow a linear law, and does any of it oscillate?",
    formula="x_(i+1) = A x_i + b on equal gaps; rate = ln |lambda| / gap; period = 2 pi gap / |arg lambda|",
    source="Tu et al. 2014 (arXiv 1312.0041); Redman et al. 2023 (arXiv 2302.09160); Gavish & Donoho 2014",
    outputs={
        "at": "(n,) steps on the uniform clock",
        "gap": "() steps between two of them",
        "GROUP/eigenvalue": "(r, 2) real and imaginary part, largest modulus first; GROUP as in parameters.trajectory",
        "GROUP/covariance": "(r, 2, 2) of both over bags of pairs of checkpoints",
        "GROUP/modulus": "(r,) |lambda|: 1 stays, below 1 decays",
        "GROUP/modulus_band": "(2, r) its 2.5 and 97.5 % over the bags",
        "GROUP/rate": "(r,) ln |lambda| per step",
        "GROUP/period": "(r,) steps of one turn; NaN for a real eigenvalue",
        "GROUP/amplitude": "(r,) size of the mode in the first state, in units of the weights",
        "GROUP/oscillates": "(r,) whether it turns once within the record and faster than walks of any of the nulls do",
        "GROUP/oscillations": "() number of pairs that do",
        "GROUP/null_imaginary": "() 97.5 % quantile of the largest imaginary part of walks with the same step lengths",
        "GROUP/drift_imaginary": "() the same of walks that drift as far from their start",
        "GROUP/pull_imaginary": "() the same of walks pulled to a place as strongly",
        "GROUP/residual": "(n-1,) |x - predicted| / |step| in the span of the modes; NaN where nothing moved",
        "GROUP/null_residual": "(3, n-1) 2.5, 50 and 97.5 % of the aimless walks'",
        "GROUP/median_residual": "() median of the residual",
        "GROUP/verdict": "(1,) what it comes to, in words",
    },
)
