"""Ranks, the Marchenko-Pastur bulk and power laws against closed forms and what random matrices show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.maths.marchenko_pastur import bulk, density, median, outliers
from miscope.maths.matrix_ranks import MEASURES, entropy_rank, gaussian_null, of_product, ranks, stable_rank
from miscope.maths.power_law import power_law


def gaussian(seed=0, shape=(113, 128)):
    return np.random.default_rng(seed).standard_normal(shape)


def test_the_identity_has_every_rank_equal_to_its_size():
    assert ranks(np.ones(8)) == pytest.approx(dict.fromkeys(MEASURES, 8.0))


def test_one_direction_and_no_direction():
    assert ranks(np.array([3.0, 0, 0])) == pytest.approx(dict.fromkeys(MEASURES, 1.0))
    assert ranks(np.zeros(4)) == dict.fromkeys(MEASURES, 0.0)


def test_two_unequal_directions_in_closed_form():
    measures = ranks(np.array([2.0, 1.0]))
    assert measures["stable_rank"] == pytest.approx(5 / 4)
    assert measures["participation_sigma"] == pytest.approx(9 / 5)
    assert measures["participation_sigma2"] == pytest.approx(25 / 17)
    assert measures["entropy_rank"] == pytest.approx(np.exp(-(0.8 * np.log(0.8) + 0.2 * np.log(0.2))))


def test_a_gaussian_matrix_has_the_ranks_that_theory_gives():
    m, n = 113, 128
    null = {name: band[1] for name, band in gaussian_null(((m, n),), 40, 0).items()}
    assert null["participation_sigma2"] == pytest.approx(m * n / (m + n + 1), rel=0.01)
    assert null["stable_rank"] == pytest.approx(m / (1 + (m / n) ** 0.5) ** 2, rel=0.05)
    assert null["participation_sigma"] == pytest.approx(85.2, rel=0.01)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.floats(0.01, 100))
def test_ranks_do_not_depend_on_scale_and_never_exceed_the_number_of_values(values, scale):
    s = np.array(values)
    measures = ranks(s)
    assert ranks(scale * s) == pytest.approx(measures)
    assert all(1 - 1e-9 <= rank <= len(s) + 1e-9 for rank in measures.values())
    assert stable_rank(s) <= entropy_rank(s) + 1e-9


@pytest.mark.parametrize(("m", "k", "n"), [(20, 4, 30), (4, 20, 30), (20, 30, 4), (5, 5, 5)])
def test_the_singular_values_of_a_product_come_without_forming_it(m, k, n):
    left, right = gaussian(1, (3, m, k)), gaussian(2, (3, k, n))
    expected = np.linalg.svd(left @ right, compute_uv=False)
    values = of_product((left, right))
    rank = min(m, k, n)
    assert values[:, :rank] == pytest.approx(expected[:, :rank])
    assert np.abs(values[:, rank:]).max(initial=0) < 1e-9


def test_the_bulk_of_a_gaussian_matrix_is_found_and_nothing_sticks_out():
    values = np.linalg.svd(0.3 * gaussian(), compute_uv=False)
    law = bulk(values, (128, 113))
    assert law.variance == pytest.approx(0.09, rel=0.03)
    assert law.shape == (113, 128)
    assert outliers(values, law) == 0


def test_noise_has_an_outlier_once_in_a_hundred_matrices():
    count = 0
    for seed in range(200):
        values = np.linalg.svd(gaussian(seed, (40, 60)), compute_uv=False)
        count += outliers(values, bulk(values, (40, 60)))
    assert count <= 10


@pytest.mark.parametrize("strong", [1, 3])
def test_directions_added_to_noise_are_counted(strong):
    values = np.linalg.svd(gaussian() + 60 * np.outer(*_units(113, 128)), compute_uv=False)
    if strong == 3:
        extra = sum(60 * np.outer(*_units(113, 128, seed)) for seed in range(3))
        values = np.linalg.svd(gaussian() + extra, compute_uv=False)
    assert outliers(values, bulk(values, (113, 128))) == strong


def _units(m, n, seed=0):
    random = np.random.default_rng(100 + seed)
    return [v / np.linalg.norm(v) for v in (random.standard_normal(m), random.standard_normal(n))]


def test_the_law_integrates_to_one_and_its_median_halves_it():
    law = bulk(np.linalg.svd(gaussian(), compute_uv=False), (113, 128))
    x = np.linspace(*law.edges, 200_001)
    assert np.trapezoid(density(x, law), x) == pytest.approx(1, abs=1e-4)
    below = x < law.variance * 128 * median(113 / 128)
    assert np.trapezoid(density(x[below], law), x[below]) == pytest.approx(0.5, abs=1e-3)
    assert density(np.array([0.0, law.edges[1] + 1]), law).tolist() == [0, 0]


def test_no_bulk_is_fitted_to_few_values_or_to_a_matrix_of_low_rank():
    assert bulk(np.ones(19), (19, 30)) is None
    assert bulk(np.concatenate([np.ones(5), np.zeros(25)]), (30, 40)) is None


def test_the_exponent_of_a_power_law_is_found():
    x = np.random.default_rng(0).pareto(1.5, 2000) + 1
    law = power_law(x)
    assert law.alpha == pytest.approx(2.5, abs=0.1)
    assert law.distance < 0.03


def test_an_exponent_is_refused_below_fifty_values_and_where_it_does_not_fit():
    few = power_law(np.random.default_rng(0).pareto(1.5, 49) + 1)
    assert np.isnan(few.alpha)
    assert few.count >= 10
    steps = power_law(np.repeat([1.0, 2.0], 100))
    assert np.isnan(steps.alpha)
    assert steps.distance > 0.15
    assert power_law(np.ones(5)).count == 0


def test_a_singular_value_of_rounding_alone_has_no_part_in_the_entropy():
    assert entropy_rank(np.array([1.0, 1e-160])) == 1.0
    assert entropy_rank(np.array([1e10, 1e-155])) == 1.0
