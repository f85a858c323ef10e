"""When it happened: memorisation, the fall of the test loss, generalisation, by every definition and with doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.event_curves import broke, curves_of, guessing_of, span_of
from miscope.analyzers.observed.training import grokking_observed
from miscope.artifact import Arrays
from miscope.maths.block_bootstrap import redrawn, thinned
from miscope.maths.divergence import FALLEN, RISEN, divergences, undiverged
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
from miscope.maths.learnt import BY, LEARNT, delay
from miscope.needs import Needs
from miscope.snapshot import Series, Trajectory

_LEVEL_NAMES = ("onset", "half", "complete")


class GrokkingOptions(Options):
    """Where the lines are drawn."""

    accuracy: float = 0.99
    """Accuracy from which the model has memorised, or generalised."""
    loss: float = 1e-2
    """Loss below which it has, where no accuracy was recorded; also what a slingshot rises through."""
    delay: float = 2.0
    """Step of generalisation over step of memorisation from which it came with a delay, which is to grok."""
    final_records: Count | None = None
    """Last records of the test loss whose median is the end of its fall; None: max(5, 1 %)."""
    window: Count | None = None
    """Records on either side between which the fall is steepest; None: 20, or a twentieth of fewer than 400."""
    draws: Count = 200
    """Bootstrap draws for the intervals."""
    records: Count = 5000
    """Records at most that are bootstrapped; thinned to that."""
    seed: Whole = 0


def grokking(trajectory: Trajectory[GrokkingOptions]) -> Arrays:
    """Steps at which the model memorised, its test loss peaked and fell, and it generalised, with 95 % intervals.

    Read from the training metrics, or where there are none from `behaviour.metrics` at the checkpoints. A test loss
    that never falls below half of its first value and of what guessing gives, where `behaviour.metrics` tells, is not
    dated, nor is one of a test set learnt where the record begins: `fell` is 0 and, if the model only memorised,
    `censored` is 1 and the delay is at least `delay_at_least`. What lies in a divergence of the test loss is left out
    of its fall. Of a record that begins with a set already learnt, that step is the latest it can be, and delay and
    `grokked` are NaN unless the bound decides. Power et al. 2022; Miller et al. 2024 for the jumps.
    """
    options = trajectory.options
    curves = curves_of(trajectory, options.accuracy)
    train, test, span = curves["train_loss"], curves["test_loss"], span_of(curves)
    guessing = guessing_of(trajectory, test, "test")
    fall = _fall_of(curves, options, guessing)
    learnt = _learnt(curves, options, fall.fell, guessing)
    slingshots, quiet = _slingshots(train, options.loss, after=learnt["memorised"]), undiverged(test)
    broken = [broke(trajectory, f"{split}_loss") for split in ("train", "test")]
    scalars = {
        **learnt,
        **_fall(fall),
        "guessing": guessing if np.isfinite(guessing) else np.nan,
        "half_linear": settled_below(quiet, fall.peak_loss / 2) if fall.fell else np.nan,
        "steepest": steepest(quiet, options.window or _window(quiet)) if fall.fell else np.nan,
        **delay(learnt["memorised"], learnt["generalised"], span, options.delay),
        "rebound": fall.rebound or broken[1],
        "diverged": fall.diverged or any(broken) or len(divergences(train.values)) > 0,
        "slingshot_count": len(slingshots),
        **_jumps(curves),
        "line/accuracy": options.accuracy,
        "line/loss": options.loss,
        "line/delay": options.delay,
    }
    return {
        **{name: np.asarray(float(value)) for name, value in scalars.items()},
        **{f"{event}/by": np.array([_by(curves, split)]) for event, split in LEARNT.items()},
        **{f"{split}_divergences": _spans(curves[f"{split}_loss"]) for split in ("train", "test")},
        **_crossings(train, test),
        **_intervals(curves, options, guessing, fall.fell),
        "slingshots": slingshots.astype(np.int64),
    }


def _window(test: Series) -> int:
    return min(20, max(1, len(test.steps) // 20))


def _by(curves: Mapping[str, Series], split: str) -> str:
    return "accuracy" if f"{split}_accuracy" in curves else "loss"


def _fall_of(curves: Mapping[str, Series], options: GrokkingOptions, guessing: float) -> Descent:
    """The fall of the test loss, which is none where the record begins with the test set learnt."""
    test, (first, _) = curves["test_loss"], span_of(curves)
    fall = descent(test, guessing=guessing, final_records=options.final_records)
    there = _reached(curves[f"test_{_by(curves, 'test')}"], _by(curves, "test"), options) == first
    if not (there and _known(test, first, guessing)):
        return fall
    return replace(fall, fell=False, levels=(np.nan,) * len(fall.levels))


def _known(test: Series, first: float, guessing: float) -> bool:
    """Whether what a record begins with can be what was learnt: untrained weights may get a few inputs right."""
    return first > 0 or test.values[0] < min(guessing, np.log(2)) / 2


def _learnt(curves: Mapping[str, Series], options: GrokkingOptions, fell: bool, guessing: float) -> dict[str, float]:
    """When each set was learnt by each definition that has a curve, and by the preferred one of those."""
    steps: dict[str, float] = {}
    first, _ = span_of(curves)
    for event, split in LEARNT.items():
        for by in BY:
            step = _reached(curves[f"{split}_{by}"], by, options) if f"{split}_{by}" in curves else np.nan
            dated = split == "train" or fell or (step == first and _known(curves["test_loss"], first, guessing))
            steps[f"{event}/{by}"] = step if dated else np.nan
        steps[event] = steps[f"{event}/{_by(curves, split)}"]
    return steps


def _reached(series: Series, by: str, options: GrokkingOptions) -> float:
    """First step of good accuracy, or of low loss."""
    return first_at_least(series, options.accuracy) if by == "accuracy" else first_below(series, options.loss)


def _slingshots(train: Series, line: float, *, after: float) -> np.ndarray:
    """Steps of rises through the line after memorisation, and of divergences from above the line."""
    from_above = [train.steps[one.start] for one in divergences(train.values) if one.trough >= line]
    return np.union1d(upward(train, line, after=after), np.array(from_above, dtype=np.int64))


def _spans(loss: Series) -> np.ndarray:
    """(n, 2) steps from which and until which the loss diverged; NaN until where it did not recover."""
    steps = np.append(loss.steps.astype(np.float64), np.nan)
    return np.array([(steps[one.start], steps[one.stop]) for one in divergences(loss.values)]).reshape(-1, 2)


def _fall(fall: Descent) -> dict[str, float]:
    return {
        "peak": fall.peak if fall.fell else np.nan,
        "peak_loss": fall.peak_loss,
        "final_loss": fall.final_loss,
        "fell": fall.fell,
        **dict(zip(_LEVEL_NAMES, fall.levels, strict=True)),
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
    steps = {"threshold": np.array(THRESHOLDS)}
    for name, series in (("train", train), ("test", test)):
        steps[f"{name}_first"] = np.array([first_below(series, threshold) for threshold in THRESHOLDS])
        steps[f"{name}_settled"] = np.array([settled_below(series, threshold) for threshold in THRESHOLDS])
    return steps


def _intervals(
    curves: Mapping[str, Series], options: GrokkingOptions, guessing: float, fell: bool
) -> dict[str, np.ndarray]:
    """(2,) for each event; NaN where the event does not happen in most of the bootstrapped curves, or in this one."""

    def events_of(test: Series) -> tuple[float, ...]:
        fall = descent(test, guessing=guessing, final_records=options.final_records)
        return (fall.peak, *fall.levels) if fell else (np.nan,) * (1 + len(LEVELS))

    bands = _interval(curves["test_loss"], events_of, options, logarithmic=True).T
    intervals = {f"{name}/ci": band for name, band in zip(("peak", *_LEVEL_NAMES), bands, strict=True)}
    for event, split in LEARNT.items():
        for by in BY:
            curve = curves.get(f"{split}_{by}")
            intervals[f"{event}/{by}/ci"] = np.full(2, np.nan)
            if curve is not None and (fell or split == "train"):
                reached = partial(_dated_by, by, options)
                intervals[f"{event}/{by}/ci"] = _interval(curve, reached, options, logarithmic=by == "loss")[:, 0]
        intervals[f"{event}/ci"] = intervals[f"{event}/{_by(curves, split)}/ci"]
        intervals[f"{split}_jump/ci"] = _jump_interval(curves, split, options)
    return intervals


def _jump_interval(curves: Mapping[str, Series], split: str, options: GrokkingOptions) -> np.ndarray:
    """(2,) for the centre of the rise of an accuracy; each draw is fitted from where the curve itself was."""
    series = curves.get(f"{split}_accuracy")
    fit = (np.nan, np.nan) if series is None else jump(series)
    if series is None or np.isnan(fit[0]):
        return np.full(2, np.nan)
    return _interval(series, lambda drawn: (jump(drawn, fit)[0],), options, logarithmic=False)[:, 0]


def _dated_by(by: str, options: GrokkingOptions, series: Series) -> tuple[float, ...]:
    return (_reached(series, by, options),)


def _interval(
    series: Series, events: Callable[[Series], tuple[float, ...]], options: GrokkingOptions, *, logarithmic: bool
) -> np.ndarray:
    """(2, n) around what the series itself gives, within its steps: how far from their median events lie with
    fluctuations drawn anew.
    """
    fewer = thinned(series, options.records)
    again = redrawn(fewer, draws=options.draws, seed=options.seed, logarithmic=logarithmic)
    moved = np.array([events(drawn) for drawn in again])
    missing = np.isnan(moved).mean(axis=0) >= 0.5
    moved = np.where(missing, 0.0, np.where(np.isnan(moved), np.inf, moved))
    low, middle, high = np.percentile(moved, (2.5, 50, 97.5), axis=0, method="nearest")
    band = np.array(events(series)) + np.stack([low - middle, high - middle])
    return np.where(missing | ~np.isfinite(band), np.nan, np.clip(band, series.steps[0], series.steps[-1]))


GROKKING = Analyzer(
    name="events.grokking",
    version=4,
    grain=Grain.TRAJECTORY,
    synonyms=("delayed generalisation",),
    compute=grokking,
    observe=grokking_observed,
    needs=Needs(reads=("behaviour.metrics",), metrics=("*_loss", "*_accuracy")),
    options=GrokkingOptions,
    question="When did the model memorise, begin to generalise and finish, and how sure is that?",
    formula="level q: first step after the peak with log L < log L_peak - q (log L_peak - log L_end)",
    source="Power et al. 2022 (arXiv 2201.02177); Miller et al. 2024 (arXiv 2402.08946); Thilak et al. 2022",
    outputs={
        "memorised": "() first step with training accuracy >= 0.99, or training loss < 1e-2 where there is no accuracy",
        "generalised": "() first step with test accuracy >= 0.99, or test loss < 1e-2 where there is no accuracy; NaN "
        "unless the test loss fell or the record begins with it",
        "{memorised,generalised}/{accuracy,loss}": "() each by that definition alone; NaN where it was not recorded",
        "{memorised,generalised}/by": "(1,) which of the two the plain step is by",
        "line/{accuracy,loss,delay}": "() where the lines are drawn",
        "peak": "() step of the largest test loss before its descent; NaN where it did not fall",
        **{
            name: f"() first step at which log test loss has fallen by {level:g} of its whole fall"
            for name, level in zip(("onset", "half", "complete"), LEVELS, strict=True)
        },
        "half_linear": "() first step from which the test loss stays below half of its peak, but for divergences",
        "steepest": "() step about which the mean log test loss falls most from one window of records to the next",
        "{peak_loss,final_loss}": "() test loss at the peak, and at the end of its fall, nats",
        "fell": "() 1 if after its peak the test loss was ever below half of its first value and of guessing; 0 where "
        "the record begins with the test set learnt",
        "guessing": "() test loss of the best answer that is the same for every input, nats; NaN where it is not known",
        "grokked": "() 1 if the model memorised and generalised with a delay: at twice the step or later; NaN if it "
        "had memorised before the record began and that leaves it open",
        "censored": "() 1 if it memorised and had not generalised by the end",
        "{delay,ratio}": "() generalised less memorised, and over memorised; NaN where either is not known",
        "delay_at_least": "() where censored: steps from memorisation to the end; where memorised before the record: "
        "from its first step",
        "{first,last}": "() first step of any curve, and last of the test loss",
        "rebound": "() 1 if the test loss ends above three times its minimum, or as no number",
        "diverged": f"() 1 if training or test loss rose above {RISEN:g} of its first peak after it had fallen to "
        f"{FALLEN:g} of it, the test loss ends where it had not fallen although it had, or a loss came to be infinite "
        "or ended as NaN",
        "{train,test}_divergences": "(n, 2) steps from which and until which it was up again; NaN where it stayed up",
        "slingshot_count": "() rises of the training loss through 1e-2 after memorisation, and divergences from above",
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
