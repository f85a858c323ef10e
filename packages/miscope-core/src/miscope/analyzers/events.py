"""When it happened: memorisation, the fall of the test loss, generalisation, by every definition and with doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.block_bootstrap import redrawn, thinned
from miscope.maths.grokking import (
    LEVELS,
    THRESHOLDS,
    Descent,
    descent,
    first_at_least,
    first_below,
    settled_below,
    steepest,
    upward,
)
from miscope.maths.jump import jump
from miscope.moment import Series, Trajectory

_CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
_LEVEL_NAMES = ("onset", "half", "complete")


class GrokkingOptions(Options):
    """Where the lines are drawn."""

    accuracy: float = 0.99
    """Accuracy from which the model has memorised, or generalised."""
    loss: float = 1e-2
    """Loss below which it has, where no accuracy was recorded; also what a slingshot rises through."""
    final_records: int | None = None
    """Last records of the test loss whose median is the end of its fall; None: max(5, 1 %)."""
    window: int | None = None
    """Records on either side between which the fall is steepest; None: 20, or a twentieth of fewer than 400."""
    draws: int = 200
    """Bootstrap draws for the intervals."""
    records: int = 5000
    """Records at most that the bootstrap looks at; thinned to that."""
    seed: int = 0


def grokking(trajectory: Trajectory) -> Arrays:
    """Steps at which the model memorised, its test loss peaked and fell, and it generalised, with 95 % intervals.

    Read from the training metrics, or where there are none from `behaviour.metrics` at the checkpoints. A test loss
    that never falls below half of its peak is not dated: `grokked` is 0 and, if the model memorised, `censored` is 1
    and the delay is at least `delay_at_least`. Power et al. 2022; Miller et al. 2024 for the jumps.
    """
    options = trajectory.options
    assert isinstance(options, GrokkingOptions)
    curves = _curves(trajectory)
    train, test = curves["train_loss"], curves["test_loss"]
    fall = descent(test, final_records=options.final_records)
    memorised = _reached(curves, "train", options)
    generalised = _reached(curves, "test", options) if fall.fell else np.nan
    slingshots = upward(train, options.loss, after=memorised)
    scalars = {
        "memorised": memorised,
        "generalised": generalised,
        **_fall(fall),
        "half_linear": settled_below(test, fall.peak_loss / 2) if fall.fell else np.nan,
        "steepest": steepest(test, options.window or _window(test)) if fall.fell else np.nan,
        **_delay(memorised, generalised, float(test.steps[-1])),
        "slingshot_count": len(slingshots),
        **_jumps(curves),
    }
    return {
        **{name: np.asarray(float(value)) for name, value in scalars.items()},
        **_crossings(train, test),
        **_intervals(curves, options, fall.fell),
        "slingshots": slingshots.astype(np.int64),
    }


def _curves(trajectory: Trajectory) -> dict[str, Series]:
    """The four curves, those that are there; both losses always are."""
    found = {name: trajectory.metrics[name] for name in _CURVES if name in trajectory.metrics}
    if not {"train_loss", "test_loss"} <= set(found):
        measured = trajectory.artifacts["behaviour.metrics"]
        found = {
            name: Series(steps=trajectory.steps, values=np.asarray(measured[name], dtype=np.float64))
            for name in _CURVES
            if name in measured
        }
    found = {name: kept for name, series in found.items() if len((kept := _finite(series)).steps)}
    if not {"train_loss", "test_loss"} <= set(found):
        reason = "there is no loss on a training and on a test set"
        raise DoesNotApply("events.grokking", trajectory.variant.name, reason)
    return found


def _window(test: Series) -> int:
    return min(20, max(1, len(test.steps) // 20))


def _finite(series: Series) -> Series:
    kept = np.isfinite(series.values)
    return Series(steps=series.steps[kept], values=series.values[kept])


def _reached(curves: Mapping[str, Series], split: str, options: GrokkingOptions) -> float:
    """First step of good accuracy, or of low loss where no accuracy was recorded."""
    accuracy = curves.get(f"{split}_accuracy")
    if accuracy is not None:
        return first_at_least(accuracy, options.accuracy)
    return first_below(curves[f"{split}_loss"], options.loss)


def _fall(fall: Descent) -> dict[str, float]:
    return {
        "peak": fall.peak,
        "peak_loss": fall.peak_loss,
        "final_loss": fall.final_loss,
        "fell": fall.fell,
        "rebound": fall.rebound,
        "diverged": fall.diverged,
        **dict(zip(_LEVEL_NAMES, fall.levels, strict=True)),
    }


def _delay(memorised: float, generalised: float, last: float) -> dict[str, float]:
    grokked = np.isfinite(memorised) and np.isfinite(generalised)
    censored = np.isfinite(memorised) and not grokked
    return {
        "grokked": grokked,
        "censored": censored,
        "delay": generalised - memorised,
        "delay_at_least": last - memorised if censored else np.nan,
        "ratio": generalised / memorised if grokked and memorised > 0 else np.nan,
        "last": last,
    }


def _jumps(curves: Mapping[str, Series]) -> dict[str, float]:
    nothing = Series(steps=np.zeros(0, np.int64), values=np.zeros(0))
    (train, train_sharpness), (test, test_sharpness) = (
        jump(curves.get(name, nothing)) if name in curves else (np.nan, np.nan)
        for name in ("train_accuracy", "test_accuracy")
    )
    gap = (test - train) / train if train > 0 else np.nan
    return {
        "train_jump": train,
        "train_sharpness": train_sharpness,
        "test_jump": test,
        "test_sharpness": test_sharpness,
        "jump_gap": gap,
    }


def _crossings(train: Series, test: Series) -> dict[str, np.ndarray]:
    found = {"threshold": np.array(THRESHOLDS)}
    for name, series in (("train", train), ("test", test)):
        found[f"{name}_first"] = np.array([first_below(series, threshold) for threshold in THRESHOLDS])
        found[f"{name}_settled"] = np.array([settled_below(series, threshold) for threshold in THRESHOLDS])
    return found


def _intervals(curves: Mapping[str, Series], options: GrokkingOptions, fell: bool) -> dict[str, np.ndarray]:
    """(2,) for each event; NaN where the event does not happen in most of the bootstrapped curves."""

    def events_of(test: Series) -> tuple[float, ...]:
        found = descent(test, final_records=options.final_records)
        return (found.peak, *found.levels)

    bands = _interval(curves["test_loss"], events_of, options, logarithmic=True).T
    found = {f"{name}/ci": band for name, band in zip(("peak", *_LEVEL_NAMES), bands, strict=True)}
    for split, name in (("train", "memorised"), ("test", "generalised")):
        by_accuracy = f"{split}_accuracy" in curves
        curve = f"{split}_accuracy" if by_accuracy else f"{split}_loss"
        reached = partial(_reached_on, curve, split, options)
        band = _interval(curves[curve], reached, options, logarithmic=not by_accuracy)
        found[f"{name}/ci"] = band[:, 0] if fell or split == "train" else np.full(2, np.nan)
        found[f"{split}_jump/ci"] = _jump_interval(curves, split, options)
    return found


def _jump_interval(curves: Mapping[str, Series], split: str, options: GrokkingOptions) -> np.ndarray:
    """(2,) for the centre of the rise of an accuracy; each draw is fitted from where the curve itself was."""
    series = curves.get(f"{split}_accuracy")
    fit = (np.nan, np.nan) if series is None else jump(series)
    if series is None or np.isnan(fit[0]):
        return np.full(2, np.nan)
    return _interval(series, lambda drawn: (jump(drawn, fit)[0],), options, logarithmic=False)[:, 0]


def _reached_on(curve: str, split: str, options: GrokkingOptions, series: Series) -> tuple[float, ...]:
    return (_reached({curve: series}, split, options),)


def _interval(
    series: Series, events: Callable[[Series], tuple[float, ...]], options: GrokkingOptions, *, logarithmic: bool
) -> np.ndarray:
    """(2, n) around what the series itself gives: how far from their median events lie with fluctuations drawn anew."""
    fewer = thinned(series, options.records)
    again = redrawn(fewer, draws=options.draws, seed=options.seed, logarithmic=logarithmic)
    moved = np.array([events(drawn) for drawn in again])
    missing = np.isnan(moved).mean(axis=0) >= 0.5
    moved = np.where(missing, 0.0, np.where(np.isnan(moved), np.inf, moved))
    low, middle, high = np.percentile(moved, (2.5, 50, 97.5), axis=0, method="nearest")
    band = np.array(events(series)) + np.stack([low - middle, high - middle])
    return np.where(missing | ~np.isfinite(band), np.nan, band)


GROKKING = Analyzer(
    name="events.grokking",
    version=3,
    grain=Grain.TRAJECTORY,
    compute=grokking,
    reads=("behaviour.metrics",),
    metrics=("*_loss", "*_accuracy"),
    options=GrokkingOptions,
    question="When did the model memorise, begin to generalise and finish, and how sure is that?",
    formula="level q: first step after the peak with log L < log L_peak - q (log L_peak - log L_end)",
    source="Power et al. 2022 (arXiv 2201.02177); Miller et al. 2024 (arXiv 2402.08946); Thilak et al. 2022",
    outputs={
        "memorised": "() first step with training accuracy >= 0.99, or training loss < 1e-2 where there is no accuracy",
        "generalised": "() the same of the test set; NaN unless the test loss fell",
        "peak": "() step of the largest test loss before its descent",
        "{onset,half,complete}": f"() first step at which log test loss has fallen by {LEVELS} of its whole fall",
        "half_linear": "() first step from which the test loss stays below half of its peak",
        "steepest": "() step about which the mean log test loss falls most from one window of records to the next",
        "{peak_loss,final_loss}": "() test loss at the peak, and at the end of its fall, nats",
        "fell": "() 1 if the test loss was ever below half of its peak afterwards",
        "grokked": "() 1 if the model memorised and generalised",
        "censored": "() 1 if it memorised and had not generalised by the end",
        "{delay,ratio}": "() generalised less memorised, and over memorised; NaN where censored",
        "delay_at_least": "() where censored: steps from memorisation to the end",
        "last": "() last step looked at",
        "rebound": "() 1 if the test loss ends above three times its minimum",
        "diverged": "() 1 if it ends above half of its peak although it had fallen",
        "slingshot_count": "() rises of the training loss through 1e-2 after memorisation",
        "slingshots": "(n,) steps of those rises",
        "{train_jump,test_jump}": "() centre of an error function fitted to the accuracy",
        "{train_sharpness,test_sharpness}": "() its slope parameter, per step",
        "jump_gap": "() relative distance of the two centres",
        "EVENT/ci": "(2,) 95 % interval by block bootstrap: memorised, peak, onset, half, complete, generalised, "
        "train_jump, test_jump",
        "threshold": "(n,) losses, nats",
        "{train_first,test_first}": "(n,) first step below each threshold; NaN for never",
        "{train_settled,test_settled}": "(n,) first step from which it stays below; NaN for never",
    },
)
