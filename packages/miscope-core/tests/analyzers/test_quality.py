"""Which variants grokked and stayed so, on curves written down by hand."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.analyzers.quality import QUALITY
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.probe import Probe
from miscope.snapshot import Cohort, Series, Trajectory
from miscope.testing.toy import ToyFourierFamily


def member(seed: int, train: list[float], test: list[float]) -> Trajectory:
    family = ToyFourierFamily()
    variant = make_variant(family, {"seed": seed})
    probe: Probe = next(iter(family.probes(variant).values()))
    curves = {"train_accuracy": train, "test_accuracy": test}
    metrics = {
        name: Series(steps=100 * np.arange(len(values)), values=np.array(values, dtype=np.float64))
        for name, values in curves.items()
        if values
    }
    return Trajectory(variant=variant, steps=np.array([0]), options=None, probe=probe, metrics=metrics)


def quality(*members: Trajectory) -> dict[str, np.ndarray]:
    return dict(QUALITY.compute(Cohort(members=members, options=QUALITY.options())))


STEADY = member(1, [0.5, 0.99, 1.0, 1.0, 1.0], [0.1, 0.1, 0.96, 0.98, 1.0])
SHAKEN = member(2, [0.5, 0.99, 1.0, 0.9, 1.0], [0.1, 0.1, 0.96, 0.5, 1.0])
NEVER = member(3, [0.5, 1.0, 1.0, 1.0, 1.0], [0.1, 0.2, 0.3, 0.2, 0.3])
AT_LAST = member(4, [0.5, 1.0, 1.0, 1.0, 1.0], [0.1, 0.2, 0.3, 0.2, 0.95])


def test_shares_and_variance_are_of_the_records_from_the_grokking_step_on():
    outputs = quality(STEADY, SHAKEN)
    assert outputs["grokked"].tolist() == [200, 200]
    assert outputs["memorised"].tolist() == [100, 100]
    assert outputs["test"] == pytest.approx([1, 2 / 3])
    assert outputs["train"] == pytest.approx([1, 2 / 3])
    assert outputs["variance"] == pytest.approx([np.var([0.96, 0.98, 1.0], ddof=1), np.var([0.96, 0.5, 1.0], ddof=1)])
    assert outputs["final"].tolist() == [1.0, 1.0]


def test_one_that_never_grokked_is_judged_by_all_its_records_and_has_no_variance():
    outputs = quality(NEVER, AT_LAST)
    assert np.isnan(outputs["grokked"][0])
    assert outputs["train"].tolist() == [0.8, 1.0]
    assert outputs["test"].tolist() == [0.0, 1.0]
    assert np.isnan(outputs["variance"][0])
    assert outputs["variance"][1] == 0.0, "a single record does not vary"


def test_the_best_test_share_comes_first_then_the_training_share_then_the_steadiest():
    outputs = quality(NEVER, SHAKEN, STEADY, AT_LAST)
    assert outputs["place"].tolist() == [4, 3, 2, 1]


def test_a_variant_without_an_accuracy_cannot_be_judged():
    with pytest.raises(DoesNotApply, match=r"toy.fourier/v5-seed9-width16 has recorded no test accuracy"):
        quality(STEADY, member(9, [1.0], []))
