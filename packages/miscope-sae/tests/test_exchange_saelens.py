"""Folders of SAELens without SAELens: what is written, what is read of each version, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load_file, save_file

import miscope_sae
from miscope.errors import BadFile, BadValue
from miscope_sae import exchange
from miscope_sae.exchange.plain_autoencoder import (
    Architecture,
    PlainAutoencoder,
    latents,
    reconstruction,
    tensor_shapes,
)
from miscope_sae.exchange.saelens import load_saelens, load_sparsity, save_saelens

ARCHITECTURES = get_args(Architecture)


def random_coder(architecture: Architecture = "standard", **choices: object) -> PlainAutoencoder:
    transcoder = architecture.endswith("transcoder")
    generator = torch.Generator().manual_seed(3)
    shapes = tensor_shapes(architecture, d_in=4, d_sae=7, d_out=3 if transcoder else 4)
    tensors = {name: torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    given = {"k": 3 if architecture == "topk" else None, "apply_b_dec_to_input": not transcoder, **choices}
    return PlainAutoencoder(architecture=architecture, tensors=tensors, **given)  # type: ignore[arg-type]


X = torch.randn(16, 4, generator=torch.Generator().manual_seed(4))


def written(folder: Path, config: dict[str, Any], tensors: dict[str, torch.Tensor] | None = None) -> Path:
    """A folder with this `cfg.json`, and the weights of a standard autoencoder unless others are given."""
    held = random_coder().tensors if tensors is None else tensors
    save_file({name: tensor.clone() for name, tensor in held.items()}, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


V6 = {"d_in": 4, "d_sae": 7, "dtype": "float32", "metadata": {"sae_lens_version": "6.18.0"}}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_was_saved_is_loaded_again(architecture, tmp_path):
    coder = random_coder(architecture, metadata={"hook_name": "blocks.0.hook_mlp_out", "miscope": {"step": 100}})
    assert save_saelens(coder, tmp_path, rows=X) < 1e-6
    again = load_saelens(tmp_path)
    assert again.tensors.keys() == coder.tensors.keys()
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in coder.tensors.items())
    assert (again.k, again.apply_b_dec_to_input) == (coder.k, coder.apply_b_dec_to_input)
    assert again.metadata == {**coder.metadata, "sae_lens_version": "6.54.12"}


def test_the_files_say_each_choice_and_hold_each_tensor_once(tmp_path):
    coder = random_coder("topk", metadata={"hook_name": "hook_resid_post", "miscope": {"variant": "toys.tms/a"}})
    save_saelens(coder, tmp_path, rows=X, frequencies=torch.tensor([0, 1, 0.5, 0, 0, 0, 0.1]))
    assert json.loads((tmp_path / "cfg.json").read_text()) == {
        "architecture": "topk",
        "d_in": 4,
        "d_sae": 7,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "k": 3,
        "rescale_acts_by_decoder_norm": False,
        "metadata": {
            "hook_name": "hook_resid_post",
            "miscope": {"variant": "toys.tms/a"},
            "sae_lens_version": "6.54.12",
        },
    }
    assert load_file(tmp_path / "sae_weights.safetensors").keys() == {"W_enc", "b_enc", "W_dec", "b_dec"}
    expected = torch.tensor([-10, 0, -0.30103, -10, -10, -10, -1])
    sparsity = load_sparsity(tmp_path)
    assert sparsity is not None
    assert torch.allclose(sparsity, expected, atol=1e-5)
    save_saelens(coder, tmp_path, rows=X)
    assert load_sparsity(tmp_path) is None, "frequencies of an earlier export do not stay"


def test_a_transcoder_says_how_wide_its_output_is(tmp_path):
    save_saelens(random_coder("skip_transcoder"), tmp_path, rows=X)
    config = json.loads((tmp_path / "cfg.json").read_text())
    assert (config["d_out"], config["apply_b_dec_to_input"]) == (3, False)
    assert "k" not in config


def test_tensors_that_share_memory_are_saved(tmp_path):
    zeros = torch.zeros(7)
    tensors = {**random_coder("gated").tensors, "b_gate": zeros, "b_mag": zeros, "r_mag": zeros}
    coder = PlainAutoencoder(architecture="gated", tensors=tensors, apply_b_dec_to_input=True)
    assert save_saelens(coder, tmp_path, rows=X) < 1e-6


def test_an_export_that_gives_other_values_is_not_left(tmp_path):
    coder = random_coder()
    near = reconstruction(coder, X) + 1e-6
    assert 0 < save_saelens(coder, tmp_path, rows=X, expected=near) < 1e-5
    with pytest.raises(BadValue) as refused:
        save_saelens(coder, tmp_path / "far", rows=X, expected=torch.ones(16, 4) + reconstruction(coder, X) * 0)
    lines = str(refused.value).split("\n")
    was = "gave other values than the autoencoder it was made from, and was deleted."
    assert lines[0] == f"What was written to {tmp_path / 'far'} {was}"
    assert lines[1].endswith(", relative to the largest; 1e-05 is allowed.")
    assert lines[2] == (
        "Fold first what training kept beside the weights: a scalar (`scaled`), a bias (`without_input_bias`)."
    )
    assert list((tmp_path / "far").iterdir()) == []


def test_saelens_has_no_transcoder_that_keeps_the_k_largest(tmp_path):
    with pytest.raises(BadValue) as refused:
        save_saelens(random_coder("transcoder", k=2), tmp_path, rows=X)
    assert str(refused.value) == (
        "A transcoder that keeps the 2 largest latents of a row was to be written for SAELens.\n"
        "SAELens has transcoders with ReLU and with thresholds, and no others.\n"
        "Give it a threshold for each latent, as of BatchTopK: then it is a 'jumprelu_transcoder'."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("normalise", ["layer_norm", "constant_norm_rescale"])
def test_what_is_done_to_each_row_is_kept(normalise, tmp_path):
    coder = random_coder(normalize_activations=normalise)
    save_saelens(coder, tmp_path, rows=X)
    assert load_saelens(tmp_path).normalize_activations == normalise


def test_norms_that_rank_latents_are_folded(tmp_path):
    coder = random_coder("topk")
    config = {**V6, "architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": True}
    read = load_saelens(written(tmp_path, config, dict(coder.tensors)))
    w, norms = coder.tensors, coder.tensors["W_dec"].norm(dim=1)
    before = ((X - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * norms
    kept = before.topk(3)
    z = torch.zeros_like(before).scatter(-1, kept.indices, kept.values.relu())
    assert torch.allclose(latents(read, X), z, atol=1e-5)
    assert torch.allclose(reconstruction(read, X), (z / norms) @ w["W_dec"] + w["b_dec"], atol=1e-5)


def test_a_scalar_that_was_not_folded_is_found_beside_the_weights_or_given(tmp_path):
    folder = written(tmp_path, {**V6, "architecture": "standard", "normalize_activations": "expected_average_only_in"})
    expected = reconstruction(random_coder(), 2.5 * X) / 2.5
    assert torch.allclose(reconstruction(load_saelens(folder, scale=2.5), X), expected, atol=1e-5)
    with pytest.raises(BadFile) as refused:
        load_saelens(folder)
    assert str(refused.value) == (
        f"{folder / 'cfg.json'} cannot be read.\n"
        "It says 'expected_average_only_in', and there is no scaling_factor in an activation_scaler.json beside it.\n"
        'Write it there: {"scaling_factor": S}, where S is sqrt(d_in) over the mean norm of the activations.'
    )
    (folder / "activation_scaler.json").write_text('{"scaling_factor": 2.5, "has_whitening": false}')
    assert torch.allclose(reconstruction(load_saelens(folder), X), expected, atol=1e-5)


def test_a_folder_of_before_version_6_is_read_by_its_old_names(tmp_path):
    config = {
        **{
            "d_in": 4,
            "d_sae": 7,
            "dtype": "torch.float32",
            "hook_point": "blocks.2.hook_z",
            "model_name": "gpt2",
        },
        **{"hook_point_head_index": None, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 2}, "lr": 3e-4},
        **{"normalize_activations": False, "sae_lens_training_version": "3.1.0"},
    }
    tensors = {**random_coder().tensors, "scaling_factor": torch.ones(7)}
    read = load_saelens(written(tmp_path, config, tensors))
    assert (read.architecture, read.k, read.apply_b_dec_to_input) == ("topk", 2, True)
    assert read.metadata == {
        "hook_name": "blocks.2.hook_z",
        "model_name": "gpt2",
        "hook_head_index": None,
        "sae_lens_training_version": "3.1.0",
        "reshape_activations": "hook_z",
    }
    save_saelens(read, tmp_path / "new", rows=X)
    assert json.loads((tmp_path / "new" / "cfg.json").read_text())["reshape_activations"] == "hook_z"


@pytest.mark.parametrize("settings", [3, "k", [2], True])
def test_settings_of_an_activation_that_are_no_object_are_refused(settings: object, tmp_path):
    folder = written(tmp_path, {"d_in": 4, "d_sae": 7, "activation_fn_str": "topk", "activation_fn_kwargs": settings})
    with pytest.raises(BadFile) as refused:
        load_saelens(folder)
    assert str(refused.value) == (
        f"{folder / 'cfg.json'} cannot be read.\n"
        f"Its 'activation_fn_kwargs' is no object, but {str(settings)!r}.\n{CONVERT}"
    )


def test_a_version_of_any_length_is_read(tmp_path):
    assert load_saelens(written(tmp_path, {**V6, "metadata": {"sae_lens_version": "6" * 5000}})).d_in == 4


def test_what_the_package_says_of_files_is_found_at_its_top():
    page = (Path(miscope_sae.__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = page.partition("## Files of other libraries")[2]
    assert [name for name in exchange.__all__ if name not in told] == []
    assert all(callable(getattr(exchange, name)) for name in exchange.__all__)


def test_defaults_are_those_of_saelens(tmp_path):
    read = load_saelens(written(tmp_path, {"d_in": 4, "d_sae": 7}))
    assert (read.architecture, read.apply_b_dec_to_input, read.normalize_activations) == ("standard", True, "none")
    tensors = dict(random_coder("transcoder").tensors)
    config = {**V6, "architecture": "transcoder"}
    assert not load_saelens(written(tmp_path, config, tensors)).apply_b_dec_to_input


CONVERT = "Correct the file, or convert it with the library that wrote it."
AGAIN = "Copy the folder again from its source, whole."


@pytest.mark.parametrize(
    ("config", "extra", "file", "text"),
    [
        (
            {"architecture": "temporal"},
            {},
            "sae_weights.safetensors",
            "There is no architecture 'temporal' of plain autoencoders. The architectures are: standard, jumprelu, "
            "topk, gated, transcoder, skip_transcoder, jumprelu_transcoder, jumprelu_skip_transcoder.\n" + CONVERT,
        ),
        (
            {"architecture": "standard"},
            {"log_threshold": torch.zeros(7)},
            "sae_weights.safetensors",
            "An autoencoder of architecture 'standard' has log_threshold besides. "
            "Its tensors are W_enc, W_dec, b_dec, b_enc, and no others.\n" + CONVERT,
        ),
        (
            {"architecture": "standard", "normalize_activations": "covariance_whitening"},
            {},
            "sae_weights.safetensors",
            "There is no normalisation 'covariance_whitening' of plain autoencoders. "
            "They are: none, layer_norm, constant_norm_rescale.\n" + CONVERT,
        ),
        (
            {"architecture": "topk"},
            {},
            "sae_weights.safetensors",
            "k=100 is out of range. A row keeps at least one latent, and there are 7.\n" + CONVERT,
        ),
        (
            {"architecture": "standard", "d_sae": 8},
            {},
            "sae_weights.safetensors",
            "Its d_sae is 7, and cfg.json beside it says 8.\n" + AGAIN,
        ),
        (
            {"architecture": "standard"},
            {"scaling_factor": torch.full((7,), 2.0)},
            "sae_weights.safetensors",
            "It has factors of finetuning, which SAELens since 6 has no more.\n" + CONVERT,
        ),
        (
            {"metadata": {}, "activation_fn": "tanh-relu"},
            {},
            "cfg.json",
            "It is of SAELens before 6 and has the activation function 'tanh-relu', which SAELens has no more.\n"
            + CONVERT,
        ),
        (
            {"metadata": {}, "finetuning_scaling_factor": True},
            {},
            "cfg.json",
            "It is of SAELens before 6 and has factors of finetuning, which SAELens has no more.\n" + CONVERT,
        ),
        (
            {"architecture": "standard", "d_in": "four"},
            {},
            "cfg.json",
            "Its 'd_in' is refused: it must be a whole number.\n" + CONVERT,
        ),
    ],
)
def test_what_has_other_arithmetic_is_refused_in_words(config, extra, file, text, tmp_path):
    folder = written(tmp_path, {**V6, **config}, {**random_coder().tensors, **extra})
    with pytest.raises(BadFile) as refused:
        load_saelens(folder)
    assert str(refused.value) == f"{folder / file} cannot be read.\n{text}"


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("cfg.json", None, "There is no such file."),
        ("cfg.json", b"[1]", "It is JSON, and no object."),
        ("cfg.json", b"{", "It is no JSON: "),
        ("sae_weights.safetensors", None, "There is no such file."),
        ("sae_weights.safetensors", b"\x00" * 40, "It is no complete safetensors file: "),
    ],
)
def test_files_that_are_not_whole_are_refused(file, content, problem, tmp_path):
    folder = written(tmp_path, {**V6, "architecture": "standard"})
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(BadFile) as refused:
        load_saelens(folder)
    what, known, todo = str(refused.value).split("\n")
    assert (what, todo) == (f"{folder / file} cannot be read.", AGAIN)
    assert known.startswith(problem)
