"""Adam's update taken back and taken apart, against PyTorch's own."""

from __future__ import annotations

import math

import pytest
import torch

from miscope.maths.adam import (
    Averages,
    angle_between,
    before_update,
    clip_factor,
    equilibrium_angle,
    newest_gradient,
)

RATE, DECAY, BETAS, EPS = 0.03, 0.4, (0.9, 0.98), 1e-6


def test_pytorchs_adamw_is_taken_back_and_its_clipped_gradient_found_again() -> None:
    random = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(40, generator=random, dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY)
    mean_before, seen, factors = torch.zeros(40), torch.zeros(40), set()
    for i in range(1, 8):
        before, gradient = weight.detach().clone(), torch.randn(40, generator=random, dtype=torch.float64) * 4 / i
        weight.grad = gradient.clone()
        if i > 1:
            mean_before = optimizer.state[weight]["exp_avg"].clone()
        norm = float(torch.nn.utils.clip_grad_norm_([weight], 5.0))
        factors.add(clip_factor(norm, 5.0) < 1)
        seen = weight.grad.clone()
        torch.testing.assert_close(seen, gradient * clip_factor(norm, 5.0), rtol=1e-12, atol=0)
        optimizer.step()
        state = optimizer.state[weight]
        averages = Averages(state["exp_avg"], state["exp_avg_sq"], i, BETAS, EPS)
        undone = before_update(weight.detach(), averages.update, rate=RATE, decay=DECAY)
        torch.testing.assert_close(undone, before, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(
            newest_gradient(state["exp_avg"], mean_before, BETAS[0]), seen, rtol=1e-9, atol=1e-12
        )
    assert factors == {True, False}, "some of these gradients are clipped, some are not"


def test_angles_are_exact_however_small() -> None:
    x, y = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 3.0]).double()
    assert angle_between(x, y) == pytest.approx(math.pi / 2, rel=1e-14)
    assert angle_between(x, -2 * x) == pytest.approx(math.pi, rel=1e-14)
    assert angle_between(x, torch.tensor([1.0, 1e-9]).double()) == pytest.approx(1e-9, rel=1e-7)
    assert math.isnan(angle_between(x, 0 * x))


@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_weights_under_independent_gradients_settle_at_the_equilibrium_angle(beta: float) -> None:
    random = torch.Generator().manual_seed(1)
    weight = torch.nn.Parameter(torch.randn(2000, generator=random))
    optimizer = torch.optim.AdamW([weight], lr=0.01, betas=(beta, 0.99), weight_decay=1.0)
    angles = []
    for i in range(900):
        before = weight.detach().clone()
        weight.grad = torch.randn(2000, generator=random)
        optimizer.step()
        angles += [angle_between(before.double(), weight.detach().double())] if i >= 600 else []
    measured = math.sqrt(sum(angle**2 for angle in angles) / len(angles))
    assert measured == pytest.approx(equilibrium_angle(0.01, 1.0, beta), rel=0.03)


def test_what_is_not_decayed_has_no_equilibrium() -> None:
    assert math.isnan(equilibrium_angle(0.01, 0.0))
    assert equilibrium_angle(0.5, 1.0) == 1.0
    assert clip_factor(3.0, None) == 1.0
