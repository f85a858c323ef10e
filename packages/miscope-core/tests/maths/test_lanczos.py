"""Ends of spectra one knows, with vectors; values that are there several times; and honest residuals."""

from __future__ import annotations

import numpy as np
import pytest

from miscope.maths.lanczos import RitzPairs, lanczos


def symmetric(spectrum: np.ndarray) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((len(spectrum),) * 2))[0]
    return (turn * spectrum) @ turn.T


def ends_of(matrix: np.ndarray, ends: int, iterations: int, seed: int = 0) -> RitzPairs:
    random = np.random.default_rng(seed)
    return lanczos(lambda v: matrix @ v, len(matrix), ends=ends, iterations=iterations, random=random)


SPECTRUM = np.concatenate([[-7.0, -2.0], np.linspace(-0.01, 0.01, 195), [3.0, 10.0, 40.0]])


def test_both_ends_of_a_spectrum_are_found_from_far_fewer_products_than_it_has_values():
    matrix = symmetric(SPECTRUM)
    found = ends_of(matrix, 2, 30)
    assert found.values == pytest.approx([-7, -2, 10, 40], rel=1e-6)
    assert found.vectors @ found.vectors.T == pytest.approx(np.eye(4), abs=1e-10)
    assert np.linalg.norm(matrix @ found.vectors.T - found.values * found.vectors.T) < 1e-2


def test_it_stops_where_both_ends_have_converged():
    matrix, calls = symmetric(SPECTRUM), []
    random = np.random.default_rng(0)
    lanczos(lambda v: (calls.append(0), matrix @ v)[1], 200, ends=1, iterations=150, random=random)
    assert 5 <= len(calls) <= 30


def test_values_that_are_there_several_times_are_found_as_often():
    matrix = symmetric(np.array([-1.0, -1.0, 2.0, 2.0, 2.0, 5.0, 5.0]))
    found = ends_of(matrix, 7, 7)
    assert found.values == pytest.approx([-1, -1, 2, 2, 2, 5, 5], abs=1e-9)
    assert ends_of(np.zeros((4, 4)), 1, 4).values == pytest.approx([0, 0])
    assert ends_of(np.array([[3.0]]), 5, 10).values == pytest.approx([3])


def test_within_the_residual_of_what_has_not_converged_lies_an_eigenvalue():
    spectrum = np.linspace(1, 2, 300)
    matrix = symmetric(spectrum)
    found = ends_of(matrix, 3, 12)
    residual = np.linalg.norm(matrix @ found.vectors.T - found.values * found.vectors.T, axis=0)
    nearest = np.abs(found.values[:, None] - spectrum).min(axis=1)
    assert (nearest <= residual).all()
    assert residual.max() > 1e-3
