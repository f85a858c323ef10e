"""Paths of logits whose speed, turning and length are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.answer_motion import SampleOptions, sample, velocity
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.probe import Probe
from miscope.snapshot import Trajectory
from miscope.testing import toy_snapshot
from miscope.testing.toy import ToyFamily

STEPS = np.array([0, 10, 30, 40])


def probe(train=None) -> Probe:
    return Probe(name="few", inputs=torch.zeros(6, 1), labels=torch.zeros(6, dtype=torch.long), columns={}, train=train)


def trajectory(logits: np.ndarray, *, train=None, steps: np.ndarray = STEPS) -> Trajectory:
    rows = np.tile(np.arange(logits.shape[1], dtype=np.int32), (len(logits), 1))
    return Trajectory(
        variant=make_variant(ToyFamily(), {}),
        steps=steps,
        options=None,
        probe=probe(train),
        artifacts={"behaviour.sample": {"row": rows, "logit": logits.astype(np.float32)}},
    )


def logits_at(values: torch.Tensor, **options):
    return sample(toy_snapshot(activations={"logits": values}, options=SampleOptions(**options)))


def test_a_straight_line_at_even_pace_has_its_speed_everywhere():
    direction = np.linspace(-3, 3, 6 * 4).reshape(6, 4)
    outputs = returned_arrays("velocity", velocity(trajectory(STEPS[:, None, None] * direction)))

    np.testing.assert_allclose(outputs["all/speed"], np.abs(direction).mean(), rtol=1e-6)
    np.testing.assert_allclose(outputs["all/turning"], 1, rtol=1e-6)
    assert outputs["all/straightness"] == pytest.approx(1)
    assert outputs["all/length"][-1] == pytest.approx(40 * np.sqrt((direction**2).mean()))
    np.testing.assert_array_equal(outputs["midpoint"], [5, 20, 35])
    spread = np.abs(direction).mean(axis=1).std(ddof=1) / np.sqrt(6)
    np.testing.assert_allclose(outputs["all/speed_sem"], spread, rtol=1e-5)


def test_what_goes_there_and_back_ends_where_it_began():
    there = np.ones((6, 4)) * np.array([1, -1, 1, -1])
    outputs = returned_arrays(
        "velocity", velocity(trajectory(np.stack([0 * there, there, 0 * there, there]), train=np.arange(6) < 2))
    )

    for part in ("train", "test"):
        np.testing.assert_allclose(outputs[f"{part}/turning"], -1)
        assert outputs[f"{part}/straightness"] == pytest.approx(1 / 3)
        np.testing.assert_allclose(outputs[f"{part}/speed"], [0.1, 0.05, 0.1], rtol=1e-6)
        np.testing.assert_allclose(outputs[f"{part}/to_end"], [1, 0, 1, 0])
    assert "all/speed" not in outputs


def test_training_and_test_inputs_have_speeds_of_their_own():
    moved = np.zeros((4, 6, 3))
    moved[1:, 4:] = [1, 0, -1]
    outputs = returned_arrays("velocity", velocity(trajectory(moved, train=np.arange(6) < 4)))

    assert outputs["train/speed"].max() == 0
    assert np.isnan(outputs["train/straightness"])
    assert np.isnan(outputs["train/turning"]).all()
    np.testing.assert_allclose(outputs["test/speed"], [2 / 30, 0, 0], rtol=1e-6)


def test_one_checkpoint_does_not_move():
    with pytest.raises(DoesNotApply, match="it has one checkpoint, from which none moves"):
        velocity(trajectory(np.zeros((1, 6, 2)), steps=np.array([0])))


def test_the_sample_is_the_same_at_every_checkpoint_and_blind_to_what_changes_no_answer():
    values = torch.randn(40, 9, generator=torch.Generator().manual_seed(0))
    shift = torch.randn(40, 1, generator=torch.Generator().manual_seed(1))
    first, second = logits_at(values, inputs=7, answers=3), logits_at(values + shift, inputs=7, answers=3)

    assert first["logit"].shape == (7, 3)
    np.testing.assert_array_equal(first["row"], second["row"])
    np.testing.assert_allclose(first["logit"], second["logit"], atol=1e-5)
    assert not np.array_equal(first["row"], logits_at(values, inputs=7, answers=3, seed=1)["row"])


def test_a_sample_as_large_as_the_probe_is_every_logit_once():
    values = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    outputs = logits_at(values)

    centred = values - values.mean(dim=1, keepdim=True)
    np.testing.assert_array_equal(outputs["row"], np.arange(5))
    np.testing.assert_allclose(np.sort(outputs["logit"], axis=1), np.sort(centred.float().numpy(), axis=1))
