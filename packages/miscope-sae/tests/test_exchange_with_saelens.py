"""SAELens itself loads what is written and computes the same, and what it writes is read; in an environment of its own.

`make test-saelens` makes that one and says MISCOPE_SAELENS=1, under which a missing sae-lens is a failure. Elsewhere
these are skipped: sae-lens wants a transformer-lens below 4.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import save_file

from miscope_sae.exchange.exporting import export_autoencoder
from miscope_sae.exchange.folding import unit_norm
from miscope_sae.exchange.plain_autoencoder import (
    Architecture,
    PlainAutoencoder,
    latents,
    reconstruction,
    tensor_shapes,
)
from miscope_sae.exchange.saelens import load_saelens, load_sparsity, save_saelens

with warnings.catch_warnings():
    # It imports a module of transformer-lens by a name that is going to go.
    warnings.filterwarnings("ignore", "The 'utils' module has been deprecated", DeprecationWarning)
    if os.environ.get("MISCOPE_SAELENS") == "1":
        import sae_lens
    else:
        sae_lens: Any = pytest.importorskip("sae_lens")

ARCHITECTURES = get_args(Architecture)
AUTOENCODERS = [one for one in ARCHITECTURES if not one.endswith("transcoder")]
X = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))


def random_coder(architecture: Architecture, **choices: object) -> PlainAutoencoder:
    transcoder = architecture.endswith("transcoder")
    generator = torch.Generator().manual_seed(2)
    shapes = tensor_shapes(architecture, d_in=6, d_sae=20, d_out=4 if transcoder else 6)
    tensors = {name: 0.5 * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    if "threshold" in tensors:
        tensors["threshold"] = tensors["threshold"].abs()
    given = {"k": 5 if architecture == "topk" else None, "apply_b_dec_to_input": not transcoder, **choices}
    return PlainAutoencoder(architecture=architecture, tensors=tensors, **given)  # type: ignore[arg-type]


def close(values: torch.Tensor, expected: torch.Tensor) -> bool:
    """To 1e-5 of the largest; of latents that some are active, and some are not."""
    return bool((values - expected).abs().max() <= 1e-5 * expected.abs().max())


def same(sae: Any, coder: PlainAutoencoder) -> bool:
    with torch.no_grad():
        z, x_hat = sae.encode(X), sae(X)
    active = float((z > 0).float().mean())
    return 0 < active < 1 and close(z, latents(coder, X)) and close(x_hat, reconstruction(coder, X))


def from_disk(folder: Path, **choices: Any) -> Any:
    return sae_lens.SAE.load_from_disk(str(folder), **choices)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_written_computes_the_same_in_saelens(architecture, tmp_path):
    coder = random_coder(architecture)
    save_saelens(coder, tmp_path, rows=X)
    sae = from_disk(tmp_path)
    assert sae.cfg.architecture() == architecture
    assert same(sae, coder)
    with torch.no_grad():
        z = latents(coder, X)
        assert close(sae.decode(z), z @ coder.tensors["W_dec"] + coder.tensors["b_dec"])


@pytest.mark.parametrize("architecture", AUTOENCODERS)
def test_a_bias_that_is_not_subtracted_is_not_subtracted_there(architecture, tmp_path):
    coder = random_coder(architecture, apply_b_dec_to_input=False)
    save_saelens(coder, tmp_path, rows=X)
    assert same(from_disk(tmp_path), coder)


@pytest.mark.parametrize("normalise", ["layer_norm", "constant_norm_rescale"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_normalisation_of_each_row_is_applied_there_again(architecture, normalise, tmp_path):
    coder = random_coder(architecture, normalize_activations=normalise)
    save_saelens(coder, tmp_path, rows=X)
    assert same(from_disk(tmp_path), coder)


@pytest.mark.parametrize("architecture", [one for one in ARCHITECTURES if one != "topk"])
def test_norms_of_the_decoder_are_folded_as_there(architecture, tmp_path):
    coder = random_coder(architecture)
    save_saelens(coder, tmp_path, rows=X)
    assert same(from_disk(tmp_path, fold_W_dec_norm=True), unit_norm(coder))


def test_what_is_known_of_a_coder_arrives_there(tmp_path):
    about = {"hook_name": "blocks.0.mlp.hook_post", "model_name": "modadd", "miscope": {"step": 300}}
    save_saelens(random_coder("jumprelu", metadata=about), tmp_path, rows=X, frequencies=torch.full((20,), 0.1))
    metadata = from_disk(tmp_path).cfg.metadata
    assert (metadata.hook_name, metadata.model_name, metadata.miscope) == tuple(about.values())
    sparsity = load_sparsity(tmp_path)
    assert sparsity is not None
    assert torch.allclose(sparsity, torch.full((20,), -1.0))


TRAINED: list[tuple[str, str, dict[str, Any]]] = [
    *[("skip_transcoder", "sae.skip", {"skip_mode": mode}) for mode in ("linear_lowrank", "gated", "identity_literal")],
    ("transcoder", "sae.transcoder", {"target_site": "hook_out"}),
    ("skip_transcoder", "sae.transcoder", {"target_site": "hook_out", "linear_skip": True}),
]


@pytest.mark.parametrize(("architecture", "family", "fields"), TRAINED)
def test_what_was_trained_here_computes_the_same_in_saelens(architecture, family, fields, few, tmp_path):
    variant = few(family, learning_rate=1e-2, **fields)
    list(variant.train(threads=1))
    place, folder = variant.workspace.value, tmp_path / "files"
    export_autoencoder(place, variant.value, variant.steps[-1], folder)
    context, weights = place.context(variant.value), variant.at("last").checkpoint.weights
    found = context.model.answers(weights, context.probe().inputs, {"hook_sae_input", "hook_sae_recons"})
    sae = from_disk(folder)
    assert sae.cfg.architecture() == architecture
    with torch.no_grad():
        assert close(sae(found["hook_sae_input"]), found["hook_sae_recons"])


def made_there(architecture: str, **choices: object) -> Any:
    """An autoencoder that SAELens made, with weights of which none is as it began."""
    known, config = sae_lens.registry.get_sae_class(architecture)
    sae = known(config(d_in=6, d_sae=20, **({"d_out": 4} if architecture.endswith("transcoder") else {}), **choices))
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            drawn = 0.5 * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(drawn.abs() if name == "threshold" else drawn)
    return sae


@pytest.mark.parametrize(
    ("architecture", "choices"),
    [
        *[(one, {}) for one in ("standard", "jumprelu", "gated")],
        *[(one, {"apply_b_dec_to_input": False}) for one in ARCHITECTURES if one.endswith("transcoder")],
        ("topk", {"k": 5}),
        ("topk", {"k": 5, "rescale_acts_by_decoder_norm": True}),
        ("standard", {"apply_b_dec_to_input": False, "normalize_activations": "layer_norm"}),
        ("jumprelu", {"normalize_activations": "constant_norm_rescale"}),
    ],
)
def test_what_saelens_writes_is_read(architecture, choices, tmp_path):
    sae = made_there(architecture, **choices)
    sae.save_model(tmp_path)
    coder = load_saelens(tmp_path)
    assert coder.architecture == architecture
    assert same(sae, coder)


@pytest.mark.parametrize("architecture", ["batchtopk", "matryoshka_batchtopk"])
def test_what_saelens_trained_with_a_batch_is_read_with_its_threshold(architecture, tmp_path):
    known, config = sae_lens.registry.get_sae_training_class(architecture)
    widths = {"matryoshka_widths": [5, 20]} if architecture.startswith("matryoshka") else {}
    sae = known(config(d_in=6, d_sae=20, k=5, **widths))
    sae.topk_threshold.fill_(0.02)
    sae.save_inference_model(tmp_path)
    coder = load_saelens(tmp_path)
    assert coder.architecture == "jumprelu"
    assert same(from_disk(tmp_path), coder)


def test_a_folder_of_before_version_6_is_read_as_there(tmp_path):
    coder = random_coder("standard")
    save_file(dict(coder.tensors), tmp_path / "sae_weights.safetensors")
    config = {
        **{"d_in": 6, "d_sae": 20, "dtype": "torch.float32", "device": "cpu", "model_name": "gpt2"},
        **{"hook_point": "blocks.2.hook_resid_pre", "hook_point_layer": 2, "hook_point_head_index": None},
        **{"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4}, "normalize_activations": None},
    }
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    sae, read = from_disk(tmp_path), load_saelens(tmp_path)
    assert (read.architecture, read.k) == (sae.cfg.architecture(), sae.cfg.k) == ("topk", 4)
    assert read.metadata["hook_name"] == sae.cfg.metadata.hook_name == "blocks.2.hook_resid_pre"
    assert same(sae, read)
