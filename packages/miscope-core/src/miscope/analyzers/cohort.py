"""Several variants together: what all of them do, what differs, and what a null would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.cohort_endings import CLUSTERS, SPECTRA, WEIGHTS, CohortOptions, variants_of
from miscope.analyzers.cohort_order import LEARNING, ORDER
from miscope.analyzers.observed.variants import events_of_all_observed
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.concordance import modified_z
from miscope.maths.curve_bands import pointwise, redrawn_medians, simultaneous
from miscope.maths.learnt import definitions, step_by
from miscope.maths.learnt import words as words_of
from miscope.maths.survival import median_interval, median_time, quantile_time, survival
from miscope.needs import Needs
from miscope.snapshot import Cohort, Series, Trajectory

__all__ = ["CLUSTERS", "EVENTS_OF_ALL", "LEARNING", "LOSSES", "ORDER", "SPECTRA", "WEIGHTS"]

EVENTS = ("memorised", "onset", "half", "complete", "generalised")
_GROKKING = "events.grokking"


class LossOptions(Options):
    """How the curves are laid over each other."""

    points: Count = 400
    """Points of the common time axis."""
    draws: Count = 300
    """Draws of variants for the bands around the median."""
    least: Count = 5
    """Variants from which such a band is worth drawing."""
    seed: Whole = 0


def losses(cohort: Cohort[LossOptions]) -> Arrays:
    """Median and spread over variants of every loss and accuracy, by step and by steps since an event.

    Quartiles and the extremes, at each time of the variants that were watched then, where at least half of them were.
    Losses are interpolated in their logarithm. Of five variants or more also 95 % bands of the median by bootstrap over
    variants: at each time, and around the whole curve at once. Where variants differ in more than a seed, the spread is
    that too.
    """
    options = cohort.options
    metrics = sorted({name for member in cohort.members for name in member.metrics})
    if not metrics:
        raise DoesNotApply("none of them has recorded a loss or an accuracy")
    outputs: dict[str, np.ndarray] = {"variant": variants_of(cohort)}
    chosen, texts = _definitions(cohort)
    outputs |= {f"{event}/definition": np.array([words]) for event, words in texts.items()}
    for align in ("step", *EVENTS):
        zero = [0.0 if align == "step" else _event(member, align, chosen) for member in cohort.members]
        for metric in metrics:
            curves = [
                Series(steps=member.metrics[metric].steps - start, values=member.metrics[metric].values)
                for member, start in zip(cohort.members, zero, strict=True)
                if metric in member.metrics and np.isfinite(start)
            ]
            if len(curves) > 1:
                outputs |= {
                    f"{align}/{metric}/{name}": array for name, array in _laid_over(curves, metric, options).items()
                }
    return outputs


def _laid_over(curves: Sequence[Series], metric: str, options: LossOptions) -> dict[str, np.ndarray]:
    start = np.median([curve.steps[0] for curve in curves])
    stop = np.median([curve.steps[-1] for curve in curves])
    time = np.linspace(start, max(stop, start), options.points)
    logarithmic = metric.endswith("loss")
    table = np.stack([_at(curve, time, logarithmic) for curve in curves])
    known = np.isfinite(table).sum(axis=0)
    time, table = time[known >= len(curves) / 2], table[:, known >= len(curves) / 2]
    bands = {"band": np.nanquantile(table, (0, 0.25, 0.5, 0.75, 1), axis=0)}
    if len(curves) >= options.least:
        drawn = redrawn_medians(table, draws=options.draws, seed=options.seed)
        bands["median_pointwise"] = pointwise(drawn)
        band, _ = simultaneous(drawn, bands["band"][2])
        bands["median_simultaneous"] = np.clip(band, *_bounds(metric, table))
    shown = {name: (np.exp(band) if logarithmic else band).astype(np.float32) for name, band in bands.items()}
    return {"time": time, **shown, "count": np.isfinite(table).sum(axis=0).astype(np.int32)}


def _bounds(metric: str, table: np.ndarray) -> tuple[float, float]:
    """What the metric can be: a share where all of an accuracy is between 0 and 1."""
    share = metric.endswith("accuracy") and np.nanmin(table) >= 0 and np.nanmax(table) <= 1
    return (0.0, 1.0) if share else (-np.inf, np.inf)


def _at(curve: Series, time: np.ndarray, logarithmic: bool) -> np.ndarray:
    values = np.log(np.maximum(curve.values, np.finfo(float).tiny)) if logarithmic else curve.values
    return np.interp(time, curve.steps, values, left=np.nan, right=np.nan)


class EventOptions(CohortOptions):
    """How the doubt is drawn, and who is unlike the rest."""

    outlier: float = 3.5
    """Robust standard deviations from the median from which a variant stands out."""


LOSSES = Analyzer(
    name="cohort.losses",
    version=4,
    grain=Grain.COHORT,
    compute=losses,
    needs=Needs(reads=(_GROKKING,), metrics=("*_loss", "*_accuracy")),
    options=LossOptions,
    question="What course do the losses of these variants have in common, and how far do they spread?",
    formula="median, quartiles and extremes over variants of the log loss at the same time since an event",
    source="Landmark registration: Kneip & Gasser 1992; sup-t bands: Montiel Olea & Plagborg-Moller 2019",
    outputs={
        "variant": "(n,) names, in the order of all arrays over variants",
        "EVENT/definition": "(1,) by what an event that can be dated in two ways is dated, in all of them",
        "ALIGN/METRIC/time": "(G,) steps, or steps since the event; ALIGN is step or an event's name",
        "ALIGN/METRIC/band": "(5, G) least, lower quartile, median, upper quartile and greatest",
        "ALIGN/METRIC/median_pointwise": "(2, G) 95 % interval of the median at each time; of five variants or more",
        "ALIGN/METRIC/median_simultaneous": "(2, G) band that holds the whole median with 95 %",
        "ALIGN/METRIC/count": "(G,) variants that were watched then",
    },
)


def events(cohort: Cohort[EventOptions]) -> Arrays:
    """When each variant memorised and generalised, the median over variants with its doubt, and who is unlike the rest.

    Variants that ended before count as watched until then (Kaplan & Meier 1958): left out, they would make the median
    too early. All are dated by one definition: by accuracy where all have recorded one, by loss otherwise. Intervals
    by bootstrap over variants, of five or more: bias-corrected and accelerated where all of them got there, percentiles
    otherwise.
    """
    options = cohort.options
    last = np.array([_last(member) for member in cohort.members])
    chosen, texts = _definitions(cohort)
    at = np.array([[_event(member, name, chosen) for name in EVENTS] for member in cohort.members])
    outputs = {"variant": variants_of(cohort), "event": np.array(EVENTS), "at": at, "last": last}
    outputs |= {f"{event}/definition": np.array([words]) for event, words in texts.items()}
    outputs["interval"] = np.array([[_interval(member, name, chosen) for name in EVENTS] for member in cohort.members])
    first = np.array([float(member.artifacts[_GROKKING].get("first", 0.0)) for member in cohort.members])
    outputs["already"] = at == first[:, None]
    outputs["z"] = np.stack([_unlike(column, options) for column in at.T], axis=1)
    outputs["outlier"] = np.abs(outputs["z"]) > options.outlier
    for column, name in enumerate(EVENTS):
        happened = np.isfinite(at[:, column])
        times = np.where(happened, at[:, column], last)
        outputs |= {f"{name}/{what}": array for what, array in _together(times, happened, options).items()}
    return outputs


def _together(times: np.ndarray, happened: np.ndarray, options: EventOptions) -> dict[str, np.ndarray]:
    when, left = survival(times, happened)
    low, high, method = np.nan, np.nan, f"none: fewer than {options.least} variants"
    if len(times) >= options.least:
        low, high, method = median_interval(times, happened, draws=options.resamples, seed=options.seed)
    return {
        "time": when,
        "survival": left,
        "median": np.array(median_time(times, happened)),
        "median_interval": np.array([low, high]),
        "median_method": np.array([method]),
        "quartile": np.array([quantile_time(times, happened, share) for share in (0.25, 0.75)]),
        "count": np.array(int(happened.sum())),
    }


def _unlike(at: np.ndarray, options: EventOptions) -> np.ndarray:
    return modified_z(at) if np.isfinite(at).sum() >= options.least else np.full(len(at), np.nan)


EVENTS_OF_ALL = Analyzer(
    name="cohort.events",
    version=4,
    grain=Grain.COHORT,
    synonyms=("Kaplan-Meier", "survival analysis"),
    compute=events,
    observe=events_of_all_observed,
    needs=Needs(reads=(_GROKKING,), metrics=("*_loss",)),
    options=EventOptions,
    question="When do these variants memorise and generalise, and does every one of them?",
    formula="S(t) = prod over events t_i <= t of (1 - d_i / n_i); the median is the first t with S(t) <= 1/2",
    source="Kaplan & Meier 1958; bootstrap: Efron 1981, 1987 (BCa); outliers: Iglewicz & Hoaglin 1993",
    outputs={
        "variant": "(n,) names",
        "event": "(E,) names of the events",
        "at": "(n, E) step of each; NaN where it did not happen",
        "already": "(n, E) whether its record begins with that, so that the step is the latest it can be",
        "interval": "(n, E, 2) 95 % interval of the step, of the variant's own curve",
        "last": "(n,) step until which the variant was watched",
        "z": "(n, E) robust standard deviations from the median of those that got there; NaN for too few",
        "outlier": "(n, E) whether that is more than 3.5",
        "EVENT/definition": "(1,) by what an event that can be dated in two ways is dated, in all of them",
        "EVENT/time": "(m,) distinct steps at which it happened to one",
        "EVENT/survival": "(m,) share to which it has not happened after each",
        "EVENT/median": "() Kaplan-Meier median; infinite where it has not happened to half",
        "EVENT/median_interval": "(2,) 95 % interval by bootstrap over variants; NaN for too few",
        "EVENT/median_method": "(1,) BCa, percentile, or why there is none",
        "EVENT/quartile": "(2,) step by which a quarter, and three quarters, got there; infinite where they did not",
        "EVENT/count": "() variants to which it happened",
    },
)


def _definitions(cohort: Cohort) -> tuple[dict[str, str], dict[str, str]]:
    """By what the events that can be dated in two ways are dated in all of them, and that in words."""
    read = [member.artifacts[_GROKKING] for member in cohort.members]
    chosen = definitions(read)
    return chosen, words_of(read, chosen)


def _event(member: Trajectory, name: str, chosen: Mapping[str, str]) -> float:
    return float(step_by(member.artifacts[_GROKKING], name, chosen))


def _interval(member: Trajectory, name: str, chosen: Mapping[str, str]) -> tuple[float, float]:
    low, high = step_by(member.artifacts[_GROKKING], name, chosen, "/ci")
    return float(low), float(high)


def _last(member: Trajectory) -> float:
    return float(max([*member.steps[-1:], *(series.steps[-1] for series in member.metrics.values())]))
