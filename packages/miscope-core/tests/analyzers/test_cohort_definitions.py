"""Variants of which one has recorded accuracies and another losses alone: compared by one definition."""

import numpy as np
import pytest

from miscope.analyzers.cohort import EVENTS_OF_ALL, LOSSES, ORDER
from miscope.analyzers.events import GrokkingOptions, grokking
from miscope.family import make_variant
from miscope.snapshot import Cohort, Series, Trajectory
from miscope.testing.toy import ToyFourierFamily

STEPS = np.arange(0, 1000, 10)


def member(seed, *, accuracy, since=0):
    """The same loss in all, below 0.01 from 280 on; where recorded, the accuracy is 1 from 140 on."""
    steps = STEPS[since // 10 :]
    loss = Series(steps=steps, values=np.where(steps < 280, 2.0, 1e-3))
    metrics = {"train_loss": loss, "test_loss": loss}
    if accuracy:
        right = Series(steps=steps, values=np.where(steps < 140, 0.1, 1.0))
        metrics |= {"train_accuracy": right, "test_accuracy": right}
    given = {"variant": make_variant(ToyFourierFamily(), {"seed": seed}), "steps": STEPS, "probe": None}
    alone = Trajectory(options=GrokkingOptions(draws=3), metrics=metrics, artifacts={"behaviour.metrics": {}}, **given)
    reads = {"events.grokking": grokking(alone), "summary.windows": {}}
    return Trajectory(options=None, metrics=metrics, artifacts=reads, **given)


def compared(analyzer, *members):
    return analyzer.compute(Cohort(members=members, options=analyzer.options()))


def test_variants_that_all_have_accuracies_are_dated_by_them():
    outputs = compared(EVENTS_OF_ALL, member(1, accuracy=True), member(2, accuracy=True))
    assert outputs["at"][:, 0].tolist() == [140, 140]
    assert outputs["memorised/definition"].tolist() == ["train accuracy ≥ 0.99"]


def test_where_one_has_losses_alone_all_are_dated_by_their_losses():
    outputs = compared(EVENTS_OF_ALL, member(1, accuracy=True), member(2, accuracy=False))
    assert outputs["at"][:, 0].tolist() == [280, 280]
    assert outputs["at"][:, -1].tolist() == [280, 280]
    assert outputs["memorised/definition"].tolist() == ["train loss < 0.01"]
    assert outputs["generalised/definition"].tolist() == ["test loss < 0.01"]
    assert not outputs["already"].any()


def test_curves_are_laid_over_each_other_by_one_definition():
    outputs = compared(LOSSES, member(1, accuracy=True), member(2, accuracy=False))
    band = outputs["memorised/train_loss/band"]
    assert np.array_equal(band[0], band[4])
    assert outputs["memorised/definition"].tolist() == ["train loss < 0.01"]


def test_the_order_of_milestones_is_by_one_definition():
    outputs = compared(ORDER, member(1, accuracy=True), member(2, accuracy=False))
    assert outputs["at"][:, 0].tolist() == [280, 280]
    assert outputs["memorised/definition"].tolist() == ["train loss < 0.01"]


@pytest.mark.parametrize("accuracy", [True, False])
def test_what_a_record_begins_with_came_no_later(accuracy):
    outputs = compared(EVENTS_OF_ALL, member(1, accuracy=accuracy), member(2, accuracy=accuracy, since=500))
    assert outputs["already"][:, 0].tolist() == [False, True]
    assert outputs["at"][1, 0] == 500
