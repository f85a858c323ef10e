"""Distances in roundings: of which type, at which size, and what is no distance at all."""

import numpy as np
import pytest
import torch

from miscope.testing import roundings


def test_the_next_number_is_one_rounding_away_at_whatever_size() -> None:
    for size in (2.0**-60, 1.0, 2.0**40):
        one = torch.tensor([size, 0.0])
        after = torch.tensor([size, 0.0]) * (1 + 2**-23)
        assert roundings(after, one) == pytest.approx(1)
        assert roundings(after.double(), one.double()) == pytest.approx(2**29)
        assert roundings(after.double(), one.double(), of="float32") == pytest.approx(1)


def test_the_coarser_type_and_the_largest_value_give_the_unit() -> None:
    assert roundings(np.array([100.0, 1e-5], dtype=np.float32), np.array([100.0, 0.0])) == pytest.approx(
        1e-5 / (100 * 2**-23)
    )
    assert roundings(3, torch.tensor(2.0, dtype=torch.float64, requires_grad=True)) == pytest.approx(2**51)


def test_a_sum_in_another_order_is_within_the_root_of_its_terms() -> None:
    terms = np.random.default_rng(0).normal(size=(10_000, 50)).astype(np.float32)
    assert 0 < roundings(np.cumsum(terms, axis=0)[-1], np.cumsum(terms[::-1], axis=0)[-1]) < 100


def test_the_same_is_no_distance_and_what_cannot_be_measured_an_infinite_one() -> None:
    odd = np.array([np.nan, np.inf, 1.0])
    assert roundings(odd, odd) == 0
    assert roundings(np.zeros(3), np.zeros(3)) == 0
    for other in (np.array([0.0, np.inf, 1]), np.array([np.nan, -np.inf, 1]), np.array([np.nan, 1, 1]), odd[:2]):
        assert roundings(other, odd) == np.inf
    assert roundings(np.array([1e-300]), np.array([0.0])) == np.inf
