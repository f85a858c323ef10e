"""Decoder rows of norm 1: their gradients lie along the sphere, and no update takes them off it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant
from miscope.callbacks import UpdatePoint
from miscope_sae.updates.unit_decoder import tangential, unit_rows


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_a_projected_gradient_is_at_right_angles_to_its_row(seed: int, size: float) -> None:
    decoder = size * drawn(seed, 20, 7)
    gradient = drawn(seed + 1, 20, 7)
    found = tangential(gradient, decoder)
    assert float((found * unit_rows(decoder)).sum(1).abs().max()) <= 1e-6
    # And nothing else was taken from it: what is left is the nearest such gradient.
    along = gradient - found
    assert torch.allclose(along, (along * unit_rows(decoder)).sum(1, keepdim=True) * unit_rows(decoder), atol=1e-5)


def test_a_row_of_nothing_stays_nothing() -> None:
    assert torch.equal(unit_rows(torch.tensor([[0.0, 0.0], [3.0, 4.0]])), torch.tensor([[0.0, 0.0], [0.6, 0.8]]))


def norms_of(training: BoundVariant) -> torch.Tensor:
    """(checkpoints, latents)."""
    list(training.train(threads=1))
    return torch.stack([training.at(step).checkpoint.weights["W_dec"].norm(dim=1) for step in training.steps])


@pytest.mark.parametrize("family", ["sae.jumprelu", "sae.gated"])
def test_after_every_update_the_rows_have_norm_1(family: str, few: Callable[..., BoundVariant]) -> None:
    norms = norms_of(few(family, steps=12, checkpoints="every:1"))
    assert len(norms) == 13
    assert float((norms - 1).abs().max()) <= 1e-6


def test_free_rows_go_where_the_gradient_takes_them(few: Callable[..., BoundVariant]) -> None:
    norms = norms_of(few("sae.standard", steps=12, checkpoints="every:6"))
    assert norms[0].tolist() == pytest.approx([0.1] * 12)
    assert float((norms[-1] - 0.1).abs().max()) > 1e-3


def test_the_optimizer_is_given_nothing_along_a_row(few: Callable[..., BoundVariant]) -> None:
    """The projection comes before the gradient is clipped and averaged, not after the update."""
    training = few("sae.standard", decoder_norm="unit")
    task = training.workspace.value.context(training.value).task
    assert task is not None
    assert task.callbacks is not None
    weights = task.initial_weights()
    point = UpdatePoint(
        step=0,
        weights=weights,
        gradients={name: drawn(3, *tensor.shape) for name, tensor in weights.items()},
        train=task.train,
        generator=torch.Generator(),
    )
    changed = task.callbacks.before_clipping(point)
    assert set(changed) == {"W_dec"}
    assert torch.equal(changed["W_dec"], tangential(point.gradients["W_dec"], weights["W_dec"]))
    assert float((changed["W_dec"] * weights["W_dec"]).sum(1).abs().max()) <= 1e-6
