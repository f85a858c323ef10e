"""Plain autoencoders: their arithmetic, row by row and number by number, and what is refused of them."""

from __future__ import annotations

from math import exp, sqrt
from typing import get_args

import numpy as np
import pytest
import torch

from miscope.errors import BadValue
from miscope_sae.exchange.plain_autoencoder import (
    Architecture,
    Normalisation,
    PlainAutoencoder,
    latents,
    reconstruction,
    tensor_shapes,
)

ARCHITECTURES = get_args(Architecture)


def random_coder(architecture: Architecture, *, seed: int = 0, **choices: object) -> PlainAutoencoder:
    transcoder = architecture.endswith("transcoder")
    generator = torch.Generator().manual_seed(seed)
    shapes = tensor_shapes(architecture, d_in=4, d_sae=7, d_out=3 if transcoder else 4)
    tensors = {name: 0.5 * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    if "threshold" in tensors:
        tensors["threshold"] = tensors["threshold"].abs()
    given = {"k": 3 if architecture == "topk" else None, "apply_b_dec_to_input": not transcoder, **choices}
    return PlainAutoencoder(architecture=architecture, tensors=tensors, **given)  # type: ignore[arg-type]


def rows(*shape: int, seed: int = 9) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_hand(coder: PlainAutoencoder, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latents and output of one row, latent by latent."""
    w = {name: tensor.double().numpy() for name, tensor in coder.tensors.items()}
    factor, mean, inputs = 1.0, 0.0, row
    if coder.normalize_activations == "layer_norm":
        mean = sum(row) / len(row)
        factor = sqrt(sum((value - mean) ** 2 for value in row) / (len(row) - 1))
        inputs = (row - mean) / (factor + 1e-5)
    elif coder.normalize_activations == "constant_norm_rescale":
        factor = sqrt(sum(value**2 for value in row)) / sqrt(len(row))
        inputs = row / factor
    if coder.apply_b_dec_to_input:
        inputs = inputs - w["b_dec"]
    z = np.zeros(coder.d_sae)
    for i in range(coder.d_sae):
        encoded = sum(inputs[j] * w["W_enc"][j, i] for j in range(coder.d_in))
        if coder.architecture == "gated":
            open_ = encoded + w["b_gate"][i] > 0
            z[i] = max(0.0, encoded * exp(w["r_mag"][i]) + w["b_mag"][i]) if open_ else 0.0
            continue
        before = encoded + w["b_enc"][i]
        z[i] = max(0.0, before) if before > w.get("threshold", np.full(coder.d_sae, -np.inf))[i] else 0.0
    if coder.k is not None:
        z[np.argsort(z)[: coder.d_sae - coder.k]] = 0
    out = w["b_dec"] + sum(z[i] * w["W_dec"][i] for i in range(coder.d_sae))
    if not coder.is_transcoder:
        out = out * factor + mean
    return z, out + w["W_skip"] @ row if "W_skip" in w else out


@pytest.mark.parametrize("normalise", get_args(Normalisation))
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_row_is_encoded_and_decoded_as_its_formula_says(architecture: Architecture, normalise: Normalisation):
    coder = random_coder(architecture, normalize_activations=normalise)
    x = rows(12, 4)
    expected = [by_hand(coder, row) for row in x.numpy()]
    np.testing.assert_allclose(latents(coder, x).numpy(), [z for z, _ in expected], atol=1e-12)
    np.testing.assert_allclose(reconstruction(coder, x).numpy(), [out for _, out in expected], atol=1e-12)
    assert 0 < np.count_nonzero([z for z, _ in expected]) < 12 * 7, "some latents are active and some are not"


@pytest.mark.parametrize("architecture", ["transcoder", "skip_transcoder"])
def test_a_transcoder_may_keep_the_k_largest(architecture: Architecture):
    coder = random_coder(architecture, k=2)
    x = rows(12, 4)
    np.testing.assert_allclose(reconstruction(coder, x).numpy(), [by_hand(coder, r)[1] for r in x.numpy()], atol=1e-12)
    assert int((latents(coder, x) > 0).sum(-1).max()) == 2


def test_fewer_than_k_latents_are_kept_where_fewer_are_positive():
    coder = random_coder("topk", k=7)
    assert torch.allclose(latents(coder, rows(5, 4)), latents(random_coder("standard"), rows(5, 4)))


def test_rows_keep_their_type_and_their_leading_axes():
    coder = random_coder("jumprelu")
    x = rows(2, 5, 4)
    for dtype in (torch.float32, torch.float64):
        assert reconstruction(coder, x.to(dtype)).dtype == dtype
        assert latents(coder, x.to(dtype)).shape == (2, 5, 7)


def test_a_row_of_zeros_is_rescaled_to_zeros():
    coder = random_coder("standard", normalize_activations="constant_norm_rescale")
    out = reconstruction(coder, torch.zeros(1, 4))
    assert float(out.abs().max()) < 1e-6


def test_weights_are_kept_as_contiguous_float32():
    tensors = {name: tensor.double() for name, tensor in random_coder("standard").tensors.items()}
    tensors["W_dec"] = tensors["W_dec"].T.contiguous().T
    coder = PlainAutoencoder(architecture="standard", tensors=tensors, apply_b_dec_to_input=True)
    assert {tensor.dtype for tensor in coder.tensors.values()} == {torch.float32}
    assert coder.tensors["W_dec"].is_contiguous()


def changed(architecture: Architecture, **changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    tensors = {**random_coder(architecture).tensors, **changes}
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"architecture": "temporal", "tensors": {}},
            "There is no architecture 'temporal' of plain autoencoders.\n"
            "The architectures are: standard, jumprelu, topk, gated, transcoder, skip_transcoder, jumprelu_transcoder, "
            "jumprelu_skip_transcoder.\n"
            "Give one of these; thresholds make a BatchTopK or Matryoshka autoencoder 'jumprelu'.",
        ),
        (
            {"tensors": changed("standard", b_enc=None, threshold=torch.zeros(7))},
            "An autoencoder of architecture 'standard' lacks b_enc and has threshold besides.\n"
            "Its tensors are W_enc, W_dec, b_dec, b_enc, and no others.\n"
            "Give these, or the architecture that the tensors are of.",
        ),
        (
            {"tensors": changed("standard", b_enc=torch.zeros(4))},
            "b_enc has the shape (4,).\n"
            "W_enc (d_in, d_sae) and W_dec (d_sae, d_out) make it (d_sae) = (7,).\n"
            "Transpose or correct it; linear layers of PyTorch hold their weights transposed.",
        ),
        (
            {"tensors": changed("standard", W_dec=torch.zeros(7))},
            "W_dec has the shape (7,).\n"
            "It is (d_sae, d_out).\n"
            "Transpose or correct it; linear layers of PyTorch hold their weights transposed.",
        ),
        (
            {"tensors": changed("standard", W_dec=torch.zeros(7, 3), b_dec=torch.zeros(3))},
            "'standard' takes rows of 4 and gives rows of 3.\n"
            "An autoencoder gives what it takes.\n"
            "Give it as one of the transcoders.",
        ),
        (
            {"architecture": "topk", "tensors": changed("topk")},
            "An autoencoder of architecture 'topk' was given no k.\n"
            "k is how many latents a row keeps: 'topk' has it, and transcoders without thresholds may.\n"
            "Give k, or leave it out.",
        ),
        (
            {"architecture": "topk", "tensors": changed("topk"), "k": 8},
            "k=8 is out of range.\nA row keeps at least one latent, and there are 7.\nGive one from 1 to 7.",
        ),
        (
            {"tensors": changed("standard"), "k": 8},
            "An autoencoder of architecture 'standard' was given k=8.\n"
            "k is how many latents a row keeps: 'topk' has it, and transcoders without thresholds may.\n"
            "Give k, or leave it out.",
        ),
        (
            {"architecture": "transcoder", "tensors": changed("transcoder")},
            "A transcoder was to subtract b_dec from its input.\n"
            "b_dec lies in the space of its output.\n"
            "Move a bias of the input into b_enc: `without_input_bias`; then apply_b_dec_to_input=False.",
        ),
        (
            {"tensors": changed("standard"), "normalize_activations": "covariance_whitening"},
            "There is no normalisation 'covariance_whitening' of plain autoencoders.\n"
            "They are: none, layer_norm, constant_norm_rescale.\n"
            "Fold one scalar for all rows into the weights: `scaled`; then 'none'.",
        ),
    ],
)
def test_what_is_no_autoencoder_is_refused(fields, text):
    with pytest.raises(BadValue) as refused:
        PlainAutoencoder(**{"architecture": "standard", "apply_b_dec_to_input": True, **fields})
    assert str(refused.value) == text
