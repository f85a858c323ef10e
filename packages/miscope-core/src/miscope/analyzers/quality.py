"""How well each of several variants grokked, and whether it stayed so."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Grain, Options
from miscope.analyzers.cohort_endings import variants_of
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.grokking import first_at_least
from miscope.needs import Needs
from miscope.snapshot import Cohort, Series, Trajectory

_TRAIN, _TEST = "train_accuracy", "test_accuracy"


class QualityOptions(Options):
    """Where the lines are drawn."""

    train: float = 0.98
    """Accuracy on the training set from which it has memorised."""
    test: float = 0.95
    """Accuracy on the test set from which it has grokked."""


def quality(cohort: Cohort[QualityOptions]) -> Arrays:
    """When each variant memorised and grokked, what share of the records from then on is good, and how steady it is.

    Shares are of the records from the grokking step on, of all records where it never grokked; the variance is that of
    the test accuracy from there on, with n - 1, 0 of a single record and NaN where it never grokked. The order is by
    share of the test, then share of the training set, both falling, then by rising variance; a place is 1 for the best.
    """
    options = cohort.options
    rows = np.array([_row(member, options) for member in cohort.members])
    grokked, memorised, train, test, final, variance = rows.T
    order = np.lexsort((np.where(np.isnan(variance), np.inf, variance), -train, -test))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(1, len(order) + 1)
    return {
        "variant": variants_of(cohort),
        "grokked": grokked,
        "memorised": memorised,
        "train": train,
        "test": test,
        "final": final,
        "variance": variance,
        "place": place,
        "line/train": np.array(options.train),
        "line/test": np.array(options.test),
    }


def _row(member: Trajectory, options: QualityOptions) -> tuple[float, ...]:
    """Grokking step, memorisation step, shares of training and test, last accuracy, variance."""
    train, test = (_recorded(member, name) for name in (_TRAIN, _TEST))
    grokked = first_at_least(test, options.test)
    since = grokked if np.isfinite(grokked) else -np.inf
    late_train, late_test = (series.values[series.steps >= since] for series in (train, test))
    steady = late_test.var(ddof=1) if len(late_test) > 1 else 0.0
    return (
        grokked,
        first_at_least(train, options.train),
        float((late_train >= options.train).mean()) if len(late_train) else np.nan,
        float((late_test >= options.test).mean()),
        float(test.values[-1]),
        float(steady) if np.isfinite(grokked) else np.nan,
    )


def _recorded(member: Trajectory, name: str) -> Series:
    """Where it is a number. Raises DoesNotApply where there is none."""
    series = member.metrics.get(name)
    finite = None if series is None else np.isfinite(series.values)
    if series is None or finite is None or not finite.any():
        reason = f"{member.variant.name} has recorded no {name.replace('_', ' ')}"
        raise DoesNotApply(reason)
    return Series(steps=series.steps[finite], values=series.values[finite])


QUALITY = Analyzer(
    name="cohort.quality",
    version=1,
    grain=Grain.COHORT,
    compute=quality,
    needs=Needs(metrics=(_TRAIN, _TEST)),
    options=QualityOptions,
    question="Which of these variants grokked, when, and which stayed so?",
    formula="share of {t >= t_g: accuracy(t) >= line}; t_g = min {t: test accuracy(t) >= 0.95}",
    source="Least Action Learning's summary of its runs; Power et al. 2022 (arXiv 2201.02177)",
    outputs={
        "variant": "(n,) names",
        "grokked": "(n,) first step of a test accuracy of 0.95; NaN where there is none",
        "memorised": "(n,) first step of a training accuracy of 0.98; NaN where there is none",
        "train": "(n,) share of the records from the grokking step on with that training accuracy; of all where it "
        "never grokked",
        "test": "(n,) the same with that test accuracy",
        "final": "(n,) last test accuracy",
        "variance": "(n,) of the test accuracy from the grokking step on; NaN where it never grokked",
        "place": "(n,) 1 for the best",
        "line/train": "() the training accuracy that is asked for",
        "line/test": "() the test accuracy that is asked for",
    },
)
