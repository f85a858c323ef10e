"""Shortcuts of an update: products by the numbers that are not 0, the largest of many, biases' gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from miscope_sae.architectures.largest import largest
from miscope_sae.architectures.sparse_product import sparse_product
from miscope_sae.architectures.standard import ReLU
from miscope_sae.architectures.straight_through import above
from miscope_sae.architectures.top_k import TopK


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def few(inputs: int, latents: int, kept: int, seed: int = 0) -> Tensor:
    """Latents of which an input keeps so many."""
    before = drawn(inputs, latents, seed=seed)
    return TopK(centred=False, k=kept).latents({"W_dec": torch.ones(latents, 1, dtype=torch.float64)}, before)


@given(seed=st.integers(0, 999), kept=st.integers(0, 3))
def test_a_product_by_what_is_not_0_is_the_product(seed: int, kept: int) -> None:
    latents, decoder = few(9, 256, max(kept, 1), seed) * (kept > 0), drawn(256, 5, seed=seed + 1)
    assert torch.allclose(sparse_product(latents, decoder, kept), latents @ decoder, rtol=0, atol=1e-12)


def test_an_input_without_latents_is_nothing() -> None:
    latents = few(4, 256, 2)
    latents[::3] = 0
    product = sparse_product(latents, drawn(256, 5, seed=1), 2)
    assert (product[::3] == 0).all()
    assert (product[1:3] != 0).all()


def test_its_gradient_is_that_of_the_latents_that_were_kept() -> None:
    latents, decoder, onto = few(9, 256, 3), drawn(256, 5, seed=1), drawn(9, 5, seed=2)
    given_ = [tensor.clone().requires_grad_() for tensor in (latents, decoder)]
    by_latents, by_decoder = torch.autograd.grad(sparse_product(*given_, 3), given_, onto)
    assert torch.allclose(by_decoder, latents.T @ onto, rtol=0, atol=1e-12)
    assert torch.allclose(by_latents, (onto @ decoder.T) * (latents != 0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kept", [3, 200], ids=["few", "many"])
def test_an_update_of_top_k_has_the_derivatives_of_the_whole_product(kept: int) -> None:
    architecture = TopK(centred=False, k=kept)
    before, decoder = drawn(6, 256), drawn(256, 5, seed=1)

    def curvature(decoded: object) -> list[Tensor]:
        """Gradient of a squared length, and its product with a direction's curvature."""
        given_ = [tensor.clone().requires_grad_() for tensor in (before, decoder)]
        weights = {"W_dec": given_[1], "b_dec": torch.zeros(5, dtype=torch.float64)}
        latents = architecture.latents(weights, given_[0])
        out = architecture.decoded(weights, latents) if decoded else latents @ given_[1]
        first = torch.autograd.grad(out.square().sum(), given_, create_graph=True)
        along = sum((part * drawn(*part.shape, seed=3)).sum() for part in first)
        return [*first, *torch.autograd.grad(along, given_)]

    for mine, plain in zip(curvature(True), curvature(False), strict=True):
        assert torch.allclose(mine, plain, rtol=0, atol=1e-9)


@given(st.integers(0, 999), st.integers(1, 5000), st.sampled_from(["normal", "positive", "ties", "one column"]))
def test_the_largest_are_those_that_sorting_finds(seed: int, count: int, kind: str) -> None:
    values = drawn(5000, seed=seed)
    if kind == "positive":
        values = values.relu()
    elif kind == "ties":
        values = values.round()
    elif kind == "one column":  # what the sample sees is larger than all else
        values[::61] += 10
    found = largest(values, count)
    assert len(found.unique()) == count
    assert torch.equal(values[found].sort(descending=True).values, values.sort(descending=True).values[:count])


def test_encoding_without_the_decoders_bias_has_the_derivatives_of_the_difference() -> None:
    x = drawn(7, 4)
    weights = {"W_enc": drawn(4, 6, seed=1), "b_enc": drawn(6, seed=2), "b_dec": drawn(4, seed=3)}

    def derivatives(centred: bool) -> list[Tensor]:
        given_ = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
        shifted = x if centred else x - given_["b_dec"]
        before = ReLU(centred=centred).before(given_, shifted)
        first = torch.autograd.grad(before.pow(3).sum(), list(given_.values()), create_graph=True)
        along = sum((part * drawn(*part.shape, seed=4)).sum() for part in first)
        return [before.detach(), *first, *torch.autograd.grad(along, list(given_.values()))]

    for mine, plain in zip(derivatives(True), derivatives(False), strict=True):
        assert torch.allclose(mine, plain, rtol=1e-12, atol=1e-9)


def test_what_is_above_a_threshold_is_a_number_without_a_gradient() -> None:
    before = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, float("nan")]], requires_grad=True)
    found = above(before, torch.tensor([2.0, 2.0, 2.0]))
    assert found.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert not found.requires_grad
