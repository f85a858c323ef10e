"""Confidence against correctness: closed forms, the paper's models, and a calibrated model's error."""

import numpy as np
import pytest
import torch

from miscope.analyzers.behaviour import CALIBRATION, METRICS
from miscope.maths.calibration import calibration_null, reliability
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot


def computed(logits, **options):
    return CALIBRATION.compute(toy_snapshot(options=CALIBRATION.options(**options), activations={"logits": logits}))


def test_the_error_is_the_mean_gap_between_sure_and_right_weighted_by_bin():
    sure = np.array([0.62, 0.64, 0.93, 0.95, 0.97, 1.0])
    right = np.array([1.0, 0, 1, 1, 1, 0])
    bins = reliability(sure, right, 15)
    assert bins.count.tolist() == [0] * 9 + [2, 0, 0, 0, 1, 3]
    assert bins.confidence[[9, 13, 14]] == pytest.approx([0.63, 0.93, 2.92 / 3])
    assert bins.accuracy[[9, 13, 14]] == pytest.approx([0.5, 1, 2 / 3])
    assert bins.error == pytest.approx((2 * 0.13 + 1 * 0.07 + 3 * (2.92 - 2) / 3) / 6)


def test_a_guess_that_knows_nothing_is_calibrated_to_chance():
    outputs = computed(torch.zeros(25, 5))
    assert outputs["test/mean_confidence"] == pytest.approx(0.2)
    # All in the one bin of a fifth, where the first of the tied answers is never counted as right.
    assert outputs["all/error"] == pytest.approx(0.2)
    assert outputs["all/loss_quantile"] == pytest.approx(np.log(5))
    assert outputs["all/count"].sum() == 25
    assert np.isnan(outputs["all/accuracy"]).sum() == 14


def test_a_perfectly_calibrated_model_lies_within_its_null_as_often_as_it_should():
    random = np.random.default_rng(0)
    inside = 0
    for draw in range(60):
        sure = random.uniform(0.2, 1.0, size=400)
        error = reliability(sure, random.random(400) < sure, 15).error
        low, high = calibration_null(sure, 15, draws=200, seed=draw)
        inside += low <= error <= high
    assert 51 <= inside <= 60


def test_the_null_of_few_answers_is_exact():
    low, high = calibration_null(np.array([0.5]), 15, draws=50, seed=0)
    assert (low, high) == (0.5, 0.5)


def test_each_answer_has_its_own_accuracy():
    snapshot = toy_snapshot()
    labels = snapshot.probe.labels
    logits = torch.nn.functional.one_hot(labels, 5).double()
    logits[labels == 3] = torch.eye(5, dtype=torch.float64)[0]
    outputs = computed(logits)
    assert outputs["class"].tolist() == list("01234")
    assert outputs["all/class_accuracy"].tolist() == [1, 1, 1, 0, 1]
    assert outputs["all/class_count"].tolist() == [5] * 5


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_models(calibration, name):
    model = calibration(name)
    shown = Snapshot(options=CALIBRATION.options(), **model.shown)
    outputs, metrics = CALIBRATION.compute(shown), METRICS.compute(Snapshot(options=None, **model.shown))
    for split in ("train", "test", "all"):
        assert outputs[f"{split}/mean_accuracy"] == metrics[f"{split}_accuracy"]
        quantile = dict(zip(outputs["quantile"].tolist(), outputs[f"{split}/loss_quantile"].tolist(), strict=True))
        assert quantile[0.0] <= quantile[0.5] <= metrics[f"{split}_loss"] <= quantile[1.0]
        weighted = outputs[f"{split}/class_accuracy"] @ outputs[f"{split}/class_count"]
        assert weighted / outputs[f"{split}/class_count"].sum() == pytest.approx(float(metrics[f"{split}_accuracy"]))
    if name.startswith("wd"):
        # Every answer right with nearly all the probability: the error is the mean doubt, which the loss bounds.
        assert outputs["all/error"] == pytest.approx(1 - float(outputs["all/mean_confidence"]), rel=1e-6)
        assert outputs["all/error"] < float(metrics["all_loss"])
    assert sum(array.nbytes for array in outputs.values()) < 20_000
