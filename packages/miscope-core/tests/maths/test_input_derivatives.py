"""Derivatives by inputs on functions whose derivatives are known, and against dense ones of a small network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from miscope.maths.input_derivatives import mean_over_inputs, on_the_sphere, quadratic_forms, squared_lengths

N, D, C = 6, 5, 7


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=seeded(seed))


def network(x: torch.Tensor) -> torch.Tensor:
    """Two layers with a smooth bend, (..., D) -> (..., C)."""
    return torch.tanh(x @ drawn(D, 8, seed=1)) @ drawn(8, C, seed=2)


def varied(count: int = N) -> torch.Tensor:
    return drawn(count, D, seed=3).requires_grad_()


def test_the_unit_vectors_of_a_linear_map_sum_to_its_squared_frobenius_norm():
    matrix, x = drawn(D, C), varied()
    (squares,) = np.swapaxes(squared_lengths(x @ matrix, [x], _units()), 0, 1)
    assert squares.sum(axis=0) == pytest.approx(np.full(N, float(matrix.square().sum())), rel=1e-12)


def _units():
    return (row.expand(N, C) for row in torch.eye(C, dtype=torch.float64))


def test_the_norm_is_that_of_finite_differences():
    x, step = varied(), 1e-6
    squares = squared_lengths(network(x), [x], _units()).sum(axis=0)[0]
    with torch.no_grad():
        moved = [network(x + step * e) - network(x - step * e) for e in torch.eye(D, dtype=torch.float64)]
    known = torch.stack(moved).div(2 * step).square().sum((0, 2)).numpy()
    assert squares == pytest.approx(known, rel=1e-8)


def test_directions_on_the_sphere_are_unbiased_and_their_standard_error_covers_what_they_miss():
    """Of 200 estimates with 10 directions, in units of their own standard errors: centred, and as wide as they say."""
    x = varied()
    exact = squared_lengths(network(x), [x], _units()).sum(axis=0)[0].mean()
    answers, off = network(x), []
    for seed in range(200):
        random = np.random.default_rng(seed)
        directions = (torch.from_numpy(on_the_sphere(random, N, C)) for _ in range(10))
        found = mean_over_inputs(C * squared_lengths(answers, [x], directions)[:, 0])
        off.append((found.value - exact) / found.sem)
    assert abs(np.mean(off)) < 4 / np.sqrt(len(off))
    assert 0.8 < np.std(off) < 1.25


def test_one_pass_backwards_serves_a_tensor_on_the_way_and_one_that_nothing_depends_on():
    x, unused = varied(), varied()
    hidden = torch.tanh(x @ drawn(D, 8, seed=1))
    squares = squared_lengths(hidden @ drawn(8, C, seed=2), [x, hidden, unused], _units()).sum(axis=0)
    assert squares[1] == pytest.approx(np.full(N, float(drawn(8, C, seed=2).square().sum())), rel=1e-12)
    assert (squares[2] == 0).all()


def test_each_input_has_its_own_hessian():
    """z_i = x_i^T A_i x_i / 2 of diagonal A: every direction of signs gives the trace itself."""
    x, diagonal = varied(), drawn(N, D, seed=4)
    forms = quadratic_forms((diagonal * x.square()).sum(1) / 2, x, signs(3, N, D))
    assert forms == pytest.approx(np.tile(diagonal.sum(1).numpy(), (3, 1)), rel=1e-12)


def signs(count: int, *shape: int, seed: int = 0):
    random = np.random.default_rng(seed)
    return (2.0 * random.integers(0, 2, shape) - 1 for _ in range(count))


def test_the_trace_is_that_of_the_dense_hessian_within_its_standard_error():
    x = varied()
    hessians = [torch.autograd.functional.hessian(lambda row: network(row)[2], row) for row in x.detach()]
    known = np.mean([float(hessian.trace()) for hessian in hessians])  # pyright: ignore
    answer, off = network(x)[:, 2], []
    for seed in range(200):
        found = mean_over_inputs(quadratic_forms(answer, x, signs(5, N, D, seed=seed)))
        off.append((found.value - known) / found.sem)
    assert abs(np.mean(off)) < 4 / np.sqrt(len(off))
    assert 0.8 < np.std(off) < 1.35


@pytest.mark.parametrize("bend", [torch.relu, lambda x: x, lambda x: 0 * x.sum(1, keepdim=True) + x])
def test_what_is_linear_piece_by_piece_does_not_bend(bend):
    x = varied()
    answer = (bend(x @ drawn(D, 8, seed=1)) @ drawn(8, C, seed=2))[:, 0]
    assert (quadratic_forms(answer, x, signs(2, N, D)) == 0).all()
    assert (quadratic_forms(answer.detach().requires_grad_(), x, signs(2, N, D)) == 0).all()


def test_means_by_hand():
    found = mean_over_inputs(np.array([[1.0, 10.0], [3.0, 10.0]]))
    assert found.value == 6
    assert found.sem == pytest.approx(np.sqrt(2 / 2) / 2)
    assert found.spread == pytest.approx(np.sqrt(32))
    alone = mean_over_inputs(np.array([[2.0]]))
    assert (alone.value, np.isnan(alone.sem), np.isnan(alone.spread)) == (2, True, True)


def test_vectors_on_the_sphere_have_length_one_in_every_direction_alike():
    drawn = on_the_sphere(np.random.default_rng(0), 20_000, 3)
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(np.ones(20_000))
    assert np.cov(drawn.T) == pytest.approx(np.eye(3) / 3, abs=0.02)
