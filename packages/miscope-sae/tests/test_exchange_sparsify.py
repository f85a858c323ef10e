"""Folders of EleutherAI's sparsify: its arithmetic stated anew, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from miscope.errors import BadFile
from miscope_sae.exchange.plain_autoencoder import latents, reconstruction
from miscope_sae.exchange.sparsify import load_sparsify

D, M, K = 4, 9, 3
X = torch.randn(12, D, generator=torch.Generator().manual_seed(1))


def weights(*, skip: bool) -> dict[str, torch.Tensor]:
    shapes = {"encoder.weight": (M, D), "encoder.bias": (M,), "W_dec": (M, D), "b_dec": (D,)}
    generator = torch.Generator().manual_seed(2)
    return {
        name: torch.randn(*shape, generator=generator)
        for name, shape in {**shapes, **({"W_skip": (D, D)} if skip else {})}.items()
    }


def written(folder: Path, held: dict[str, torch.Tensor], **config: object) -> Path:
    save_file(held, folder / "sae.safetensors")
    told = {"activation": "topk", "expansion_factor": 32, "num_latents": M, "k": K, "d_in": D, "multi_topk": False}
    (folder / "cfg.json").write_text(json.dumps({**told, **config}))
    return folder


@pytest.mark.parametrize("transcode", [False, True])
@pytest.mark.parametrize("skip", [False, True])
def test_autoencoders_and_transcoders_are_read_with_their_latents_and_their_output(transcode, skip, tmp_path):
    w = weights(skip=skip)
    coder = load_sparsify(written(tmp_path, w, transcode=transcode, skip_connection=skip))
    inputs = X if transcode else X - w["b_dec"]
    before = torch.clamp(torch.einsum("nd,md->nm", inputs, w["encoder.weight"]) + w["encoder.bias"], min=0)
    values, places = before.topk(K, dim=-1)
    expected = torch.stack([v @ w["W_dec"][p] for v, p in zip(values, places, strict=True)]) + w["b_dec"]
    if skip:
        expected = expected + torch.einsum("nd,ed->ne", X, w["W_skip"])
    assert torch.allclose(latents(coder, X), torch.zeros(12, M).scatter(-1, places, values), rtol=1e-5, atol=1e-5)
    assert torch.allclose(reconstruction(coder, X), expected, rtol=1e-5, atol=1e-5)
    about = coder.metadata["sparsify"]
    assert isinstance(about, dict)
    assert (about["expansion_factor"], about["transcode"]) == (32, transcode)


def test_an_old_configuration_is_of_an_autoencoder(tmp_path):
    save_file(weights(skip=False), tmp_path / "sae.safetensors")
    (tmp_path / "cfg.json").write_text(
        json.dumps({"expansion_factor": 32, "normalize_decoder": True, "k": K, "d_in": D})
    )
    coder = load_sparsify(tmp_path)
    assert (coder.architecture, coder.k, coder.apply_b_dec_to_input) == ("topk", K, True)


CONVERT = "Correct the file, or convert it with the library that wrote it."


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"activation": "groupmax"},
            "cfg.json cannot be read.\n"
            f"It asks for the activation 'groupmax', which no plain autoencoder has.\n{CONVERT}",
        ),
        (
            {"signed": True},
            f"cfg.json cannot be read.\nIt asks for latents below zero, which no plain autoencoder has.\n{CONVERT}",
        ),
        (
            {"embed_skip": True},
            "cfg.json cannot be read.\n"
            f"It asks for a skip connection from the embedding, which no plain autoencoder has.\n{CONVERT}",
        ),
        (
            {"skip_connection": True},
            "sae.safetensors cannot be read.\n"
            "An autoencoder of architecture 'skip_transcoder' lacks W_skip. "
            f"Its tensors are W_enc, W_dec, b_dec, b_enc, W_skip, and no others.\n{CONVERT}",
        ),
        (
            {"d_in": 5},
            "sae.safetensors cannot be read.\n"
            "Its d_in is 4, and cfg.json beside it says 5.\nCopy the folder again from its source, whole.",
        ),
    ],
)
def test_what_has_other_arithmetic_is_refused_in_words(config, text, tmp_path):
    folder = written(tmp_path, weights(skip=False), **config)
    with pytest.raises(BadFile) as refused:
        load_sparsify(folder)
    assert str(refused.value) == f"{folder}/{text}"


def test_a_skip_that_the_configuration_does_not_name_is_refused(tmp_path):
    folder = written(tmp_path, weights(skip=True))
    with pytest.raises(BadFile) as refused:
        load_sparsify(folder)
    assert str(refused.value) == (
        f"{folder / 'sae.safetensors'} cannot be read.\n"
        "An autoencoder of architecture 'topk' has W_skip besides. "
        f"Its tensors are W_enc, W_dec, b_dec, b_enc, and no others.\n{CONVERT}"
    )
