"""Traces of matrices one knows, from their products with random directions."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.maths.trace_estimates import estimate_of, hutch_plus_plus, hutchinson, signs


def symmetric(spectrum: np.ndarray, seed: int = 0) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(spectrum),) * 2))[0]
    return turn.T @ np.diag(spectrum) @ turn


def product_of(matrix: np.ndarray):
    return lambda directions: directions @ matrix


DECAYING = symmetric(np.concatenate([[50.0, -20.0, 5.0], np.linspace(0.01, 0.05, 37)]))


def test_each_direction_of_signs_gives_the_trace_of_a_diagonal_matrix_and_of_its_blocks():
    diagonal = np.diag([1.0, 2.0, -4.0, 8.0])
    seen = hutchinson(product_of(diagonal), [0, 1], 4, probes=5, random=np.random.default_rng(0))
    assert seen.blocks == pytest.approx(np.tile([1.0, 6.0], (5, 1)))
    assert seen.squares == pytest.approx(np.full(5, 85.0))
    assert estimate_of(seen.blocks.sum(axis=1)).sem == pytest.approx(0)


def test_the_variance_over_directions_of_signs_is_that_of_the_theorem():
    matrix = symmetric(np.linspace(-1, 3, 12))
    seen = hutchinson(product_of(matrix), [0], 12, probes=40_000, random=np.random.default_rng(1))
    expected = 2 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum())
    assert seen.blocks.var() == pytest.approx(expected, rel=0.05)
    assert seen.squares.mean() == pytest.approx((matrix**2).sum(), rel=0.02)


@pytest.mark.parametrize("method", ["hutchinson", "hutch++"])
def test_the_standard_error_says_how_far_estimates_lie_from_the_trace(method: str):
    off = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        if method == "hutch++":
            estimate = hutch_plus_plus(product_of(DECAYING), 40, probes=60, random=random)
        else:
            blocks = hutchinson(product_of(DECAYING), [0], 40, probes=20, random=random).blocks
            estimate = estimate_of(blocks[:, 0])
        off.append((estimate.value - np.trace(DECAYING)) / estimate.sem)
    # Of 400 draws from Student's t with 19 degrees of freedom: mean 0 +- 0.05, deviation 1.06 +- 0.04.
    assert abs(np.mean(off)) < 0.2
    assert 0.9 < np.std(off) < 1.25


def test_hutch_plus_plus_is_far_more_exact_where_few_eigenvalues_make_up_the_trace():
    random = np.random.default_rng
    errors = {
        "plain": estimate_of(hutchinson(product_of(DECAYING), [0], 40, probes=30, random=random(3)).blocks[:, 0]),
        "plus": hutch_plus_plus(product_of(DECAYING), 40, probes=30, random=random(3)),
    }
    assert errors["plus"].sem < errors["plain"].sem / 100
    assert errors["plus"].value == pytest.approx(np.trace(DECAYING), abs=5 * errors["plus"].sem)


def test_hutch_plus_plus_is_exact_once_it_has_as_many_directions_as_the_matrix_has_rows():
    matrix = symmetric(np.linspace(-1, 3, 5))
    estimate = hutch_plus_plus(product_of(matrix), 5, probes=15, random=np.random.default_rng(0))
    assert (estimate.value, estimate.sem) == pytest.approx((np.trace(matrix), 0), abs=1e-12)


def test_one_direction_has_no_standard_error_and_signs_are_signs():
    assert np.isnan(estimate_of(np.array([3.0])).sem)
    drawn = signs(np.random.default_rng(0), 3, 50)
    assert set(np.unique(drawn)) == {-1.0, 1.0}


def test_directions_are_held_in_parts_that_bound_the_memory(monkeypatch: pytest.MonkeyPatch):
    whole = hutchinson(product_of(DECAYING), [0, 7], 40, probes=10, random=np.random.default_rng(2))
    monkeypatch.setattr("miscope.maths.trace_estimates._NUMBERS", 120)
    sizes = []
    parts = hutchinson(
        lambda v: (sizes.append(len(v)), v @ DECAYING)[1], [0, 7], 40, probes=10, random=np.random.default_rng(2)
    )
    assert sizes == [3, 3, 3, 1]
    assert parts.blocks == pytest.approx(whole.blocks)
