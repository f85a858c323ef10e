"""Losses computed anew are compared with the nearest that were recorded, and what could not be compared is said."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.analyzers.integrity import ReplayOptions, replay
from miscope.errors import DoesNotApply
from miscope.maths.replaying import beside, rounding
from miscope.snapshot import Series, Trajectory
from miscope.testing import toy_snapshot


def replayed(now, then, steps=None, at=None):
    steps = np.arange(0, 200, 10) if steps is None else np.asarray(steps)
    at = np.arange(0, 200, 5) if at is None else np.asarray(at)
    return replay(
        Trajectory(
            variant=toy_snapshot().variant,
            steps=steps,
            options=ReplayOptions(),
            probe=None,
            artifacts={"behaviour.metrics": {"train_loss": now(steps)}},
            metrics={"train_loss": Series(steps=at, values=then(at))},
        )
    )


def falling(steps):
    return 4 * np.exp(-np.asarray(steps) / 40)


def test_losses_that_agree_raise_no_flag_and_one_that_does_not_does():
    outputs = replayed(falling, falling)
    assert (outputs["flag_count"], outputs["train_loss/worst"], outputs["train_loss/lag"]) == (0, 0, 0)
    assert (outputs["compared_count"], outputs["train_loss/differs"]) == (20, 0)
    outputs = replayed(lambda s: np.where(s == 50, 4e-2, falling(s)), falling)
    assert outputs["at"][outputs["train_loss/flag"]].tolist() == [50]
    assert outputs["train_loss/worst"] == pytest.approx(np.log(falling(50) / 4e-2))


def test_a_record_made_one_record_early_is_told_by_its_lag():
    outputs = replayed(falling, lambda s: falling(s - 5))
    assert outputs["train_loss/lag"] == 1
    assert (outputs["flag_count"], outputs["train_loss/differs"]) == (0, 0)
    assert outputs["train_loss/typical"] == pytest.approx(-5 / 40)


def test_rounding_of_a_single_precision_record_is_no_difference():
    outputs = replayed(
        lambda s: np.full(len(s), 3e-9), lambda s: np.where(s == 5, 4.75, np.float32(2e-7)).astype(float)
    )
    assert outputs["train_loss/worst"] == 0


def test_a_double_precision_record_is_compared_however_small_its_losses():
    outputs = replayed(lambda s: np.full(len(s), 1.6e-7), lambda s: np.full(len(s), 1.1e-6))
    assert outputs["train_loss/typical"] == pytest.approx(np.log(1.6e-7 / 1.1e-6))
    assert (outputs["train_loss/differs"], outputs["flag_count"]) == (1, 20)


def test_a_single_checkpoint_one_step_after_the_last_record_is_judged():
    right = replayed(falling, falling, steps=[200], at=range(200))
    assert right["train_loss/distance"].tolist() == [-1]
    assert (right["compared_count"], right["flag_count"], right["train_loss/differs"]) == (1, 0, 0)
    wrong = replayed(lambda s: 6 * falling(s), falling, steps=[200], at=range(200))
    assert (wrong["flag_count"], wrong["train_loss/differs"]) == (1, 1)


def test_what_the_record_itself_moves_over_the_distance_is_no_difference():
    def steep(steps):
        return np.exp(-np.asarray(steps) / 20)

    outputs = replayed(steep, steep, steps=[95], at=range(0, 91, 10))
    assert outputs["train_loss/distance"].tolist() == [-5]
    assert outputs["train_loss/log_ratio"] == pytest.approx([-0.25])
    assert outputs["flag_count"] == 0


def test_nothing_compared_is_not_a_number_and_never_0():
    outputs = replayed(falling, falling, steps=[1000], at=range(0, 100, 10))
    assert outputs["compared_count"] == 0
    for name in ("flag_count", "train_loss/worst", "train_loss/typical", "train_loss/lag", "train_loss/differs"):
        assert np.isnan(outputs[name]), name
    assert np.isnan([outputs[f"train_loss/{name}"][0] for name in ("recorded", "distance", "log_ratio")]).all()


def test_losses_of_other_data_are_flagged_at_every_checkpoint():
    outputs = replayed(lambda s: 2 * falling(s), falling)
    assert (outputs["train_loss/differs"], outputs["flag_count"]) == (1, 20)


def test_noise_about_the_record_is_no_difference():
    noise = np.random.default_rng(0).normal(0, 0.01, 20)
    outputs = replayed(lambda s: falling(s) * np.exp(noise), falling)
    assert (outputs["train_loss/differs"], outputs["flag_count"]) == (0, 0)


def test_the_nearest_record_and_its_distance_in_closed_form():
    compared = beside(np.array([2.0, 2.0, 2.0]), np.array([0, 14, 300]), (np.array([0, 10, 20]), np.ones(3)), reach=2)
    assert compared.distance[:2].tolist() == [0, -4]
    assert np.isnan(compared.distance[2])
    assert compared.log_ratio[:2] == pytest.approx(np.log(2))
    assert compared.moved[:2].tolist() == [0, 0]


def test_rounding_is_two_units_of_the_records_own_precision_at_its_largest_value():
    assert rounding(np.array([0.5, 4.0])) == pytest.approx(8 * 2**-23)
    assert rounding(np.array([0.1, 4.0])) == pytest.approx(8 * 2**-52)


def test_without_a_recorded_loss_there_is_nothing_to_compare():
    with pytest.raises(DoesNotApply, match="no loss was recorded that could be computed anew"):
        replay(
            Trajectory(
                variant=toy_snapshot().variant,
                steps=np.array([0]),
                options=ReplayOptions(),
                probe=None,
                artifacts={"behaviour.metrics": {"all_loss": np.ones(1)}},
            )
        )
