"""The Jacobian penalty: a linear map's is its squared size, and the draws of a step are always the same."""

from __future__ import annotations

import pytest
import torch

from miscope_lal.jacobian_penalty import jacobian_penalty, projections_at

W = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def penalty(weight: torch.Tensor, step: int, samples: int = 1) -> torch.Tensor:
    inputs = torch.ones(50, 6, dtype=torch.float64, requires_grad=True)
    return jacobian_penalty(inputs @ weight, inputs, generator=projections_at(7, step), samples=samples)


def test_of_a_linear_map_it_is_the_squared_size_on_average():
    values = torch.stack([penalty(W, step, samples=4) for step in range(200)])
    error = float(values.std() / len(values) ** 0.5)
    assert abs(float(values.mean()) - float(W.square().sum())) < 4 * error


def test_one_class_needs_no_average():
    row = W[:, :1]
    assert float(penalty(row, 0)) == pytest.approx(float(row.square().sum()), rel=1e-7)


def test_the_projections_of_a_step_are_its_own_and_the_same_at_every_call():
    assert float(penalty(W, 3)) == float(penalty(W, 3))
    assert float(penalty(W, 3)) != float(penalty(W, 4))
    firsts = {torch.randn(1, generator=projections_at(seed, step)).item() for seed in range(3) for step in range(3)}
    assert len(firsts) == 9


def test_it_has_a_slope_in_the_weights():
    weight = W.clone().requires_grad_()
    (slope,) = torch.autograd.grad(penalty(weight, 0), weight)
    moved = W.clone()
    moved[2, 1] += 1e-6
    assert float(slope[2, 1]) == pytest.approx(float(penalty(moved, 0) - penalty(W, 0)) / 1e-6, rel=1e-4)
