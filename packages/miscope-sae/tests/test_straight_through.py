"""Gradients of functions with a step are those of the mean that they have over inputs near the step."""

from __future__ import annotations

import math

import pytest
import torch

from miscope_sae.architectures.straight_through import jump_relu, step

THETA, DRAWS = 0.5, 1_000_000
DENSITY = math.exp(-(THETA**2) / 2) / math.sqrt(2 * math.pi)
"""Of standard normal pre-activations at the threshold."""


def slope(function, bandwidth: float) -> float:
    """Of the mean over normal pre-activations, by the threshold."""
    before = torch.randn(DRAWS, 1, generator=torch.Generator().manual_seed(0))
    threshold = torch.tensor([THETA], requires_grad=True)
    function(before, threshold, bandwidth).mean().backward()
    assert threshold.grad is not None
    return float(threshold.grad)


@pytest.mark.parametrize("bandwidth", [0.05, 0.1])
def test_the_mean_latent_falls_with_its_threshold_as_calculus_has_it(bandwidth: float) -> None:
    """E[z] is the integral of pi phi(pi) from theta on, so its derivative is -theta phi(theta)."""
    assert slope(jump_relu, bandwidth) == pytest.approx(-THETA * DENSITY, rel=0.03)


@pytest.mark.parametrize("bandwidth", [0.05, 0.1])
def test_the_share_of_active_inputs_falls_with_the_threshold_as_calculus_has_it(bandwidth: float) -> None:
    """E[H] is 1 - Phi(theta), so its derivative is -phi(theta)."""
    assert slope(step, bandwidth) == pytest.approx(-DENSITY, rel=0.03)


def near_the_threshold() -> tuple[torch.Tensor, torch.Tensor]:
    """Pre-activations below, in the lower half of the window, in its upper half, above; each a latent's threshold."""
    before = torch.tensor([[0.1, 0.48, 0.52, 2.0], [-3.0, 0.5, 0.6, 0.4]], requires_grad=True)
    return before, torch.full((4,), THETA, requires_grad=True)


def test_a_latent_passes_its_gradient_whole_above_the_threshold_and_not_at_all_below() -> None:
    before, threshold = near_the_threshold()
    latents = jump_relu(before, threshold, 0.1)
    assert torch.equal(latents, torch.tensor([[0, 0, 0.52, 2], [0, 0, 0.6, 0]]))
    weights = torch.tensor([[2.0, 3.0, 5.0, 7.0], [11.0, 13.0, 17.0, 19.0]])
    (latents * weights).sum().backward()
    assert before.grad is not None
    assert before.grad.tolist() == [[0, 0, 5, 7], [0, 0, 17, 0]]
    # The second latent has 0.48 and 0.5 in its window, the third 0.52: minus theta / bandwidth of what comes back.
    assert threshold.grad is not None
    assert threshold.grad.tolist() == pytest.approx([0, -5.0 * (3 + 13), -5.0 * 5, 0])


def test_the_count_of_active_latents_moves_thresholds_and_nothing_else() -> None:
    before, threshold = near_the_threshold()
    counted = step(before, threshold, 0.1)
    assert counted.tolist() == [[0, 0, 1, 1], [0, 0, 1, 0]]
    counted.sum().backward()
    assert before.grad is None
    assert threshold.grad is not None
    assert threshold.grad.tolist() == pytest.approx([0, -20, -10, 0])


def test_a_pre_activation_below_the_window_moves_no_threshold_although_its_latent_is_within_it() -> None:
    """0 itself lies in the window of a small threshold: what counts is the pre-activation, not the latent's 0."""
    threshold = torch.tensor([0.02], requires_grad=True)
    step(torch.full((10, 1), -1.0), threshold, 0.1).sum().backward()
    assert threshold.grad is not None
    assert float(threshold.grad) == 0
