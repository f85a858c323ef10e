"""Losses, margins and leakage, against the paper's models and by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.behaviour import METRICS, metrics
from miscope.testing import toy_snapshot


def test_losses_of_the_papers_models(calibration, computed):
    for name, tolerance in (("wd_10-1_mod_addition_loss_curve", 1e-6), ("low_precision_mod_addition", 1e-6)):
        model = calibration(name)
        outputs = computed(METRICS, model)
        for split in ("train", "test", "all"):
            assert outputs[f"{split}_loss"] == pytest.approx(model.known["loss_114_logits"][split], rel=tolerance)
            assert outputs[f"{split}_accuracy"] == pytest.approx(model.known["accuracy"][split], abs=1e-12)
        margin = model.known["logit_margin"]
        assert outputs["all_margin_min"] == pytest.approx(margin["min"], rel=1e-6)
        assert outputs["all_margin_mean"] == pytest.approx(margin["mean"], rel=1e-6)
        assert list(divmod(int(outputs["worst_input"]), 113)) == margin["argmin_ab"]


def test_the_table_of_the_first_model(calibration, computed):
    outputs = computed(METRICS, calibration("wd_10-1_mod_addition_loss_curve"))
    assert outputs["train_loss"] == pytest.approx(9.2024e-9, rel=1e-4)
    assert outputs["test_loss"] == pytest.approx(4.9884e-7, rel=1e-4)
    assert outputs["all_margin_min"] == pytest.approx(7.6485, abs=1e-4)


def snapshot(logits, **probe):
    from dataclasses import replace

    shown = toy_snapshot(activations={"logits": logits})
    return replace(shown, probe=replace(shown.probe, **probe))


def test_a_model_that_knows_nothing_has_the_entropy_and_loss_of_chance():
    outputs = metrics(snapshot(torch.zeros(25, 5)))
    for name in ("train_loss", "test_loss", "all_loss", "all_entropy"):
        assert outputs[name] == pytest.approx(np.log(5))
    assert outputs["all_margin_min"] == 0


def test_guessing_is_the_same_answer_to_every_input_and_knows_how_often_each_is_right():
    labels = torch.tensor([0] * 15 + [1] * 5 + [2] * 5)
    outputs = metrics(snapshot(torch.zeros(25, 5), labels=labels, train=None))
    assert outputs["all_guessing"] == pytest.approx([-0.6 * np.log(0.6) - 0.4 * np.log(0.2), 0.6])


def test_test_loss_is_split_by_whether_the_swapped_pair_was_trained_on():
    shown = snapshot(torch.zeros(25, 5))
    probe = shown.probe
    swapped = probe.symmetries["swap"]
    leaked = ~probe.train & probe.train[swapped]
    logits = torch.zeros(25, 5)
    logits[torch.from_numpy(leaked), probe.labels[torch.from_numpy(leaked)]] = 20.0
    outputs = metrics(snapshot(logits))
    assert outputs["test_loss_leaked"] < 1e-6 < outputs["test_loss_clean"]
    assert outputs["test_accuracy_leaked"] == 1
    assert outputs["test_accuracy_clean"] == 0


def test_without_a_known_split_there_is_only_the_whole():
    outputs = metrics(snapshot(torch.zeros(25, 5), train=None))
    assert {name.split("_")[0] for name in outputs} == {"all", "worst"}


def test_the_loss_keeps_its_precision_far_below_float32():
    logits = torch.zeros(25, 5, dtype=torch.float64)
    logits[torch.arange(25), toy_snapshot().probe.labels] = 40.0
    assert metrics(snapshot(logits))["all_loss"] == pytest.approx(4 * np.exp(-40), rel=1e-9, abs=0)
