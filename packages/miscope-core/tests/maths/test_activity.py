"""Activity of units whose answers are known."""

import numpy as np
import pytest
import torch

from miscope.maths.activity import activity, flip_rate, packed_signs


def of(*units, threshold=0.0):
    return activity(torch.tensor(units, dtype=torch.float64).T, threshold)


def test_a_unit_that_answers_one_input_has_sparsity_1_and_one_that_answers_all_alike_0():
    measured = of([0, 0, 0, 3.0], [2.0, 2, 2, 2])
    assert measured.sparsity == pytest.approx([1, 0])
    assert measured.active == pytest.approx([0.25, 1])


def test_a_silent_unit_is_never_active_and_has_no_sparsity():
    measured = of([0, 0, 0, 0])
    assert measured.active.tolist() == [0]
    assert np.isnan(measured.sparsity[0])
    assert np.isnan(measured.kurtosis[0])


def test_kurtosis_is_that_of_known_distributions():
    angle = 2 * np.pi * torch.arange(1000, dtype=torch.float64) / 1000
    normal = torch.randn(1_000_00, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # A cosine has E x^4 / (E x^2)^2 = 3/2, two values alike 1.
    assert activity(angle.cos()[:, None], 0).kurtosis == pytest.approx([-1.5])
    assert of([1.0, -1, 1, -1]).kurtosis == pytest.approx([-2])
    assert activity(normal, 0).kurtosis == pytest.approx([0], abs=0.05)


def test_the_threshold_says_when_a_unit_is_active_either_way():
    assert of([0.1, -0.1, 2, -2], threshold=0.5).active == pytest.approx([0.5])


def test_rounding_around_a_constant_is_not_spread():
    units = torch.full((1000, 1), 0.1) + 1e-8 * torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
    assert activity(units, 0).std.tolist() == [0]


def test_flips_count_inputs_and_not_the_padding_of_bytes():
    before = torch.ones(11, 2)
    after = before.clone()
    after[:3, 1] = -1
    assert flip_rate(packed_signs(before), packed_signs(after), 11) == pytest.approx([0, 3 / 11])
