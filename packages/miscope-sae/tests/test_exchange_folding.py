"""What is folded into weights changes nothing that comes out."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.errors import BadValue
from miscope_sae.exchange.folding import scaled, unit_norm, without_input_bias
from miscope_sae.exchange.plain_autoencoder import (
    Architecture,
    PlainAutoencoder,
    latents,
    reconstruction,
    tensor_shapes,
)

ARCHITECTURES = get_args(Architecture)
factors = st.floats(0.05, 20)
seeds = st.integers(0, 10_000)
few = settings(max_examples=20)


def random_coder(architecture: Architecture, seed: int, **choices: object) -> PlainAutoencoder:
    transcoder = architecture.endswith("transcoder")
    generator = torch.Generator().manual_seed(seed)
    shapes = tensor_shapes(architecture, d_in=5, d_sae=11, d_out=3 if transcoder else 5)
    tensors = {name: 0.5 * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    if "threshold" in tensors:
        tensors["threshold"] = tensors["threshold"].abs()
    given = {"k": 4 if architecture == "topk" else None, "apply_b_dec_to_input": not transcoder, **choices}
    return PlainAutoencoder(architecture=architecture, tensors=tensors, **given)  # type: ignore[arg-type]


def rows(seed: int) -> torch.Tensor:
    return torch.randn(20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + 1))


def decided(coder: PlainAutoencoder, x: torch.Tensor) -> torch.Tensor:
    """The rows in which no latent is so close to a threshold, to a gate or to another one that rounding chooses."""
    w = {name: tensor.double() for name, tensor in coder.tensors.items()}
    encoded = (x - w["b_dec"] if coder.apply_b_dec_to_input else x) @ w["W_enc"]
    if coder.architecture == "gated":
        margin = (encoded + w["b_gate"]).abs().min(-1).values
    elif "threshold" in w:
        margin = (encoded + w["b_enc"] - w["threshold"]).abs().min(-1).values
    elif coder.k is not None:
        largest = (encoded + w["b_enc"]).sort(-1, descending=True).values
        margin = largest[:, coder.k - 1] - largest[:, coder.k]
    else:
        return x
    return x[margin > 1e-4]


def same(values: torch.Tensor, expected: torch.Tensor) -> bool:
    return len(expected) > 0 and bool((values - expected).abs().max() <= 1e-5 * expected.abs().max())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@few
@given(seeds, factors, factors)
def test_a_scalar_of_the_inputs_is_folded(architecture, seed, s, s_out):
    coder = random_coder(architecture, seed)
    x = decided(coder, rows(seed))
    if coder.is_transcoder:
        folded = scaled(coder, s, s_out=s_out)
    else:
        folded, s_out = scaled(coder, s), s
    assert same(latents(folded, x / s), latents(coder, x))
    assert same(reconstruction(folded, x / s), reconstruction(coder, x) / s_out)


@pytest.mark.parametrize("architecture", [one for one in ARCHITECTURES if one != "topk"])
@few
@given(seeds)
def test_norms_of_the_decoder_are_folded_and_a_row_of_zeros_stays(architecture, seed):
    coder = random_coder(architecture, seed)
    coder.tensors["W_dec"][3] = 0
    x = decided(coder, rows(seed))
    folded = unit_norm(coder)
    norms = coder.tensors["W_dec"].double().norm(dim=1)
    assert torch.allclose(folded.tensors["W_dec"].double().norm(dim=1), (norms > 0).double(), atol=1e-6)
    assert same(reconstruction(folded, x), reconstruction(coder, x))
    assert same(latents(folded, x), latents(coder, x) * norms.where(norms > 0, 1))


@few
@given(seeds)
def test_latents_that_were_ranked_by_norm_are_ranked_so_by_the_folded_coder(seed):
    coder = random_coder("topk", seed)
    coder.tensors["W_dec"][3] = 0
    folded = unit_norm(coder, ranked_by_norm=True)
    x = decided(folded, rows(seed))
    w = {name: tensor.double() for name, tensor in coder.tensors.items()}
    norms = w["W_dec"].norm(dim=1)
    before = (x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    least = (before * norms).sort(-1, descending=True).values[:, 3:4]
    z = before.relu() * (before * norms >= least)
    assert same(reconstruction(folded, x), z @ w["W_dec"] + w["b_dec"])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@few
@given(seeds)
def test_a_bias_of_the_input_is_moved(architecture, seed):
    coder = random_coder(architecture, seed)
    b_in = torch.randn(5, generator=torch.Generator().manual_seed(seed))
    without = without_input_bias(coder, b_in)
    x = decided(without, rows(seed))
    assert not without.apply_b_dec_to_input
    assert same(latents(without, x), latents(coder, x - b_in.double()))
    if not coder.is_transcoder:
        alone = without_input_bias(coder)
        x = decided(alone, rows(seed))
        assert same(reconstruction(alone, x), reconstruction(coder, x))


def with_norms(*norms: float) -> PlainAutoencoder:
    """A coder that keeps the k largest, whose decoder has rows of these norms in turn."""
    coder = random_coder("topk", 0)
    for row, direction in enumerate(coder.tensors["W_dec"]):
        direction.copy_(norms[row % len(norms)] * torch.eye(5)[row % 5])
    return coder


def test_norms_that_are_equal_rank_nothing_anew():
    coder = with_norms(3)
    x = decided(coder, rows(0))
    assert same(reconstruction(unit_norm(coder), x), reconstruction(coder, x))


@pytest.mark.parametrize(
    ("fold", "text"),
    [
        (
            lambda: scaled(random_coder("transcoder", 0), 2.0),
            "A transcoder was to be scaled by one factor.\n"
            "Its inputs and its outputs were each scaled by their own.\n"
            "Give both: scaled(coder, s, s_out=...).",
        ),
        (
            lambda: scaled(random_coder("standard", 0), 2.0, s_out=3.0),
            "An autoencoder was to be scaled by 2.0 and 3.0.\n"
            "What an autoencoder takes and what it gives lie in one space.\n"
            "Give s alone.",
        ),
        (
            lambda: scaled(random_coder("standard", 0), 0.0),
            "s = 0.0 is no factor.\n"
            "Rows were multiplied by it, and are to be divided by it again.\n"
            "Give a positive number.",
        ),
        (
            lambda: scaled(random_coder("standard", 0, normalize_activations="layer_norm"), 2.0),
            "A coder with the normalisation 'layer_norm' was to be scaled.\n"
            "It scales each row by itself, so no one factor can be folded into its weights.\n"
            "Leave the normalisation in it: other libraries apply it again.",
        ),
        (
            lambda: unit_norm(with_norms(3, 4)),
            "The norms of the decoder of a coder that keeps the 4 largest latents were to be folded.\n"
            "They lie between 3 and 4; latents times their norms are in another order.\n"
            "Leave the norms; or say ranked_by_norm=True, if it was trained to rank latents by them.",
        ),
        (
            lambda: without_input_bias(random_coder("transcoder", 0), torch.zeros(3)),
            "A bias of the input has the shape (3,).\nThe coder takes rows of 5.\nGive one of shape (5,).",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused(fold, text):
    with pytest.raises(BadValue) as refused:
        fold()
    assert str(refused.value) == text
