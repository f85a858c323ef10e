"""Noise scales and means of samples against populations one knows."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.maths.gradient_noise import GradientNoise, gradient_noise
from miscope.maths.sampled_mean import sampled_mean


def noise_of(gradients: np.ndarray, unseen: float) -> GradientNoise:
    mean = gradients.mean(axis=0)
    return gradient_noise(np.square(gradients).sum(axis=1), gradients @ mean, float(mean @ mean), unseen=unseen)


def test_of_a_whole_population_it_is_the_ratio_of_its_own_variance_and_slope():
    gradients = np.random.default_rng(0).standard_normal((12, 4)) + 1
    found = noise_of(gradients, 0.0)
    mean = gradients.mean(axis=0)
    assert found.variance == pytest.approx(np.trace(np.cov(gradients.T)))
    assert found.slope == pytest.approx(mean @ mean)
    assert found.scale == pytest.approx(np.trace(np.cov(gradients.T)) / (mean @ mean))
    assert found.sem == 0


def test_variance_and_slope_are_without_bias_and_the_jackknife_is_honest():
    mean, deviation = np.array([1.0, -0.5, 0.2]), np.array([1.0, 2.0, 0.5])
    found = []
    for seed in range(600):
        random = np.random.default_rng(seed)
        found.append(noise_of(mean + deviation * random.standard_normal((40, 3)), 1.0))
    for name, expected in (("variance", np.square(deviation).sum()), ("slope", mean @ mean)):
        values = np.array([getattr(each, name) for each in found])
        assert abs(values.mean() - expected) < 4 * values.std() / 600**0.5, name
    scales = np.array([each.scale for each in found])
    assert np.median([each.sem for each in found]) == pytest.approx(
        np.percentile(scales, [16, 84]) @ [-0.5, 0.5], rel=0.25
    )


def test_the_jackknife_is_that_of_gradients_left_out_one_by_one():
    gradients = np.random.default_rng(3).standard_normal((9, 4)) + 2
    without = np.array([noise_of(np.delete(gradients, i, axis=0), 1.0).scale for i in range(9)])
    expected = (8 / 9 * np.square(without - without.mean()).sum()) ** 0.5
    assert noise_of(gradients, 1.0).sem == pytest.approx(expected, rel=1e-9)


def test_without_a_slope_there_is_no_scale_and_of_two_no_error():
    opposite = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert np.isnan(noise_of(opposite, 1.0).scale)
    assert np.isnan(noise_of(opposite[[0, 2]] + 3, 1.0).sem)


def test_the_error_of_a_sample_is_honest_in_a_finite_population_that_is_itself_measured_with_error():
    truth = np.random.default_rng(1).standard_normal(30) * 3
    values, errors = [], []
    for seed in range(800):
        random = np.random.default_rng(seed)
        drawn = truth[random.choice(30, 15, replace=False)]
        found = sampled_mean(drawn[:, None] + random.standard_normal((15, 2)), 30)
        values.append(found.value)
        errors.append(found.sem)
    assert abs(np.mean(values) - truth.mean()) < 4 * np.std(values) / 800**0.5
    assert np.mean(np.square(errors)) == pytest.approx(np.var(values), rel=0.2)


def test_of_a_whole_population_only_its_own_error_is_left():
    exact = sampled_mean(np.arange(5.0)[:, None], 5)
    assert (exact.value, exact.sem) == (2.0, 0.0)
    twice = sampled_mean(np.array([[0.0, 2.0], [4.0, 6.0]]), 2)
    assert twice.sem == pytest.approx((2 / 4) ** 0.5)
    assert np.isnan(sampled_mean(np.array([[1.0]]), 5).sem)
