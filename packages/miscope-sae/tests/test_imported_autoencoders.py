"""Autoencoders of other libraries as variants: the same latents, every instrument, and what is refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from miscope.bound import BoundVariant
from miscope.errors import BadFile, BadValue, UnknownName
from miscope_sae import autoencoders, imported
from miscope_sae.exchange.plain_autoencoder import latents, reconstruction
from miscope_sae.exchange.saelens import load_saelens

Command = Callable[..., tuple[int, str, str]]
SITE, OUT = "hook_embed", "hook_out"
D, D_OUT, M, K = 8, 6, 16, 3
VECTORS = {"b_enc": (M,), "threshold": (M,), "b_gate": (M,), "b_mag": (M,), "r_mag": (M,)}
PLAIN = ("W_enc", "b_enc", "W_dec", "b_dec")
SAELENS = {
    "standard": PLAIN,
    "jumprelu": (*PLAIN, "threshold"),
    "topk": PLAIN,
    "gated": ("W_enc", "W_dec", "b_dec", "b_gate", "b_mag", "r_mag"),
    "transcoder": PLAIN,
    "skip_transcoder": (*PLAIN, "W_skip"),
}


@pytest.fixture
def source(tmp_path: Path, known_source: Callable[..., BoundVariant]) -> BoundVariant:
    """500 inputs of 8 numbers, and at a second site of 6."""
    return known_source(tmp_path / "workspace", features=12, width=D, inputs=500, probability=0.1, width_out=D_OUT)


def drawn(names: tuple[str, ...], out: int) -> dict[str, Tensor]:
    """Decoder rows of different norms, thresholds of either sign."""
    shapes: dict[str, tuple[int, ...]] = {"W_enc": (D, M), "W_dec": (M, out), "b_dec": (out,), "W_skip": (out, D)}
    generator = torch.Generator().manual_seed(3)
    return {name: 0.3 * torch.randn(*{**shapes, **VECTORS}[name], generator=generator) for name in names}


def saelens(folder: Path, architecture: str, width: int = D, **config: object) -> Path:
    """A folder as version 6 writes it."""
    folder.mkdir()
    out = D_OUT if architecture.endswith("transcoder") else D
    weights = drawn(SAELENS[architecture], out)
    weights["W_enc"] = weights["W_enc"][:width]
    save_file(weights, folder / "sae_weights.safetensors")
    told: dict[str, object] = {"architecture": architecture, "d_in": width, "d_sae": M, "dtype": "float32"}
    told |= {"k": K} if architecture == "topk" else {}
    told |= {"d_out": out, "apply_b_dec_to_input": False} if architecture.endswith("transcoder") else {}
    about = {"sae_lens_version": "6.54.12", "hook_name": SITE, "hook_name_out": OUT, "model_name": "ours"}
    (folder / "cfg.json").write_text(json.dumps({**told, "metadata": about, **config}))
    return folder


def dictionary_learning(folder: Path) -> Path:
    folder.mkdir()
    w = drawn(PLAIN, D)
    state = {"encoder.weight": w["W_enc"].T, "encoder.bias": w["b_enc"], "decoder.weight": w["W_dec"].T}
    torch.save({**state, "b_dec": w["b_dec"], "threshold": torch.tensor(0.2), "k": torch.tensor(K)}, folder / "ae.pt")
    trainer = {"dict_class": "BatchTopKSAE", "activation_dim": D, "dict_size": M, "k": K}
    (folder / "config.json").write_text(json.dumps({"trainer": trainer}))
    return folder


def sparsify(folder: Path) -> Path:
    folder.mkdir()
    w = drawn(PLAIN, D)
    held = {"encoder.weight": w["W_enc"].T.contiguous(), "encoder.bias": w["b_enc"]}
    save_file({**held, "W_dec": w["W_dec"], "b_dec": w["b_dec"]}, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"activation": "topk", "num_latents": M, "k": K, "d_in": D}))
    return folder


def looked_at(variant: BoundVariant) -> Mapping[str, Tensor]:
    """Its latents and reconstructions, as instruments see them, and its inputs."""
    context = variant.workspace.value.context(variant.value)
    rows = context.probe().inputs
    sites = {"hook_sae_acts_post", "hook_sae_recons", "hook_sae_input"}
    return context.model.answers(variant.at("last").checkpoint.weights, rows, sites)


@pytest.mark.parametrize("normalise", ["none", "layer_norm"])
@pytest.mark.parametrize("architecture", SAELENS)
def test_it_has_the_latents_and_the_output_that_its_library_gives(source, architecture, normalise, tmp_path):
    folder = saelens(tmp_path / "files", architecture, normalize_activations=normalise)
    if architecture.endswith("transcoder") and normalise != "none":
        with pytest.raises(BadFile, match="No family here has transcoders with the normalisation 'layer_norm'"):
            imported(source, folder)
        return
    found, coder = looked_at(imported(source, folder)), load_saelens(folder)
    x = found["hook_sae_input"]
    assert torch.allclose(found["hook_sae_acts_post"], latents(coder, x), rtol=1e-4, atol=1e-5)
    assert torch.allclose(found["hook_sae_recons"], reconstruction(coder, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("library", "write", "family"), [
    ("dictionary_learning", dictionary_learning, "sae.jumprelu"),
    ("sparsify", sparsify, "sae.topk"),
])  # fmt: skip
def test_folders_of_other_libraries_become_the_family_that_computes_the_same(source, library, write, family, tmp_path):
    variant = imported(source, write(tmp_path / "files"), site=SITE)
    assert variant.value.family == family
    w, found = drawn(PLAIN, D), looked_at(variant)
    before = torch.relu((found["hook_sae_input"] - w["b_dec"]) @ w["W_enc"] + w["b_enc"])
    least = before.sort(dim=1).values[:, -K, None] if library == "sparsify" else torch.full((1, 1), 0.2)
    expected = before * (before >= least)
    assert torch.allclose(found["hook_sae_acts_post"], expected, rtol=1e-4, atol=1e-5)


def test_it_keeps_where_it_is_from_and_claims_no_training(source, tmp_path):
    folder = saelens(tmp_path / "files", "standard")
    variant = imported(source, folder)
    digest = hashlib.sha256((folder / "sae_weights.safetensors").read_bytes()).hexdigest()
    assert variant.name == (
        f"sae.standard/m16-seed0-normnone-file{digest[:12]}-step0-hook_embed-of"
        f"{source.name.replace('/', '')}{variant.name[-10:]}"
    )
    facts = source.workspace.value.store.variant_record(variant.name).facts
    assert facts["origin"] == "imported"
    assert facts["imported"] == {
        "sae_weights.safetensors": {
            "sha256": digest,
            "steps": [0],
            "steps_from": "nothing: it says of no update",
            "notes": ["Read as SAELens has it, of the architecture 'standard'."],
            "config": {"hook_name": SITE, "hook_name_out": OUT, "model_name": "ours", "sae_lens_version": "6.54.12"},
            "optimizer": {},
        }
    }
    assert (variant.steps, variant.value.training) == ([0], None)
    context = source.workspace.value.context(variant.value)
    assert (context.probe().train, context.task) == (None, None)
    assert imported(source, folder).name == variant.name


def not_computed(variant: BoundVariant) -> dict[tuple[str, ...], str]:
    """Why not, of the instruments of autoencoders."""
    names = [name for name in variant.workspace.value.plugins.analyzers if name.startswith("sae.")]
    return {one.analyzers: one.error.replace(variant.name, "it") for one in variant.analyze(*names) if one.error}


def test_every_instrument_looks_at_it_that_looks_at_one_trained_here(source, tmp_path):
    variant = imported(source, saelens(tmp_path / "files", "standard"))
    (other,) = autoencoders(source, SITE, architecture="standard", steps=20, latents="16", allow_out_of_range=True)
    list(other.train(threads=1))
    assert not_computed(variant) == not_computed(other)
    arrays = variant.arrays("sae.reconstruction", 0)
    x, found = (looked_at(variant)[site].double() for site in ("hook_sae_input", "hook_sae_recons"))
    fvu = float((x - found).square().sum() / (x - x.mean(0)).square().sum())
    assert float(arrays["all/fvu"]) == pytest.approx(fvu, rel=1e-5)
    # Which inputs it was trained on nobody knows.
    assert not [name for name in arrays if name.startswith(("train/", "held_out/"))]
    assert "density" in variant.arrays("sae.latents", 0)
    assert variant.view("sae.reconstruction").figure().data


def test_what_was_trained_here_comes_back_as_it_was_written(source, command: Command, tmp_path):
    (trained,) = autoencoders(source, SITE, steps=20, k=2, latents="12", allow_out_of_range=True)
    list(trained.train(threads=1))
    place = source.workspace.root
    assert command("sae", "export", trained.name, "--out", tmp_path / "files", "-w", place)[0] == 0
    code, out, err = command("sae", "import", tmp_path / "files", "--of", source.name, "-w", place)
    assert code == 0, err
    variant = source.workspace.find(out.strip())
    assert variant.steps == [20]
    before, after = looked_at(trained), looked_at(variant)
    assert torch.allclose(before["hook_sae_recons"], after["hook_sae_recons"], rtol=1e-4, atol=1e-5)
    code, _, err = command("train", variant.name, "-w", place)
    assert code == 1, "it is not trained on here"


def test_what_does_not_fit_is_refused_before_anything_is_written(source, tmp_path):
    narrow = saelens(tmp_path / "narrow", "transcoder", width=D - 1)
    with pytest.raises(BadFile) as refused:
        imported(source, narrow)
    assert str(refused.value) == (
        f"{narrow / 'sae_weights.safetensors'} cannot be read.\n"
        f"It takes rows of 7, and those at hook_embed of {source.name} at step 0 have 8.\n"
        "Name the variant and the site that it was trained on."
    )
    with pytest.raises(BadFile) as refused:
        imported(source, saelens(tmp_path / "wide", "transcoder"), target_site=SITE, site=OUT)
    assert "It takes rows of 8, and those at hook_out" in str(refused.value)
    with pytest.raises(UnknownName, match="There is no site named 'hook_ot'"):
        imported(source, tmp_path / "wide", target_site="hook_ot")
    with pytest.raises(BadFile) as refused:
        imported(source, tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} cannot be read.\n"
        "An autoencoder's folder holds one of: sae_weights.safetensors (SAELens), ae.pt (dictionary_learning), "
        "sae.safetensors (sparsify); this holds none of them.\n"
        "Name the folder that a library wrote, with one file of weights in it."
    )
    for absent, problem in (
        (tmp_path / "nowhere", "There is no such folder."),
        (narrow / "cfg.json", "It is a file, and no folder."),
    ):
        with pytest.raises(BadFile) as refused:
            imported(source, absent)
        assert str(refused.value) == f"{absent} cannot be read.\n{problem}\nName the folder that a library wrote."
    assert source.workspace.names() == [source.name]


def test_what_the_files_do_not_say_is_asked_for(source, tmp_path):
    silent = sparsify(tmp_path / "files")
    with pytest.raises(BadValue) as refused:
        imported(source, silent)
    assert str(refused.value) == (
        f"{silent} does not say of which site it is.\n{source.name} has: hook_embed, hook_out.\nName it:  --site SITE"
    )
    with pytest.raises(BadValue) as refused:
        imported(source, silent, site=SITE, target_site=OUT)
    assert str(refused.value) == (
        f"{silent} holds an autoencoder, and was given the target site 'hook_out'.\n"
        "What an autoencoder reconstructs is the site that it reads.\nLeave it out."
    )
    transcoder = saelens(tmp_path / "to", "transcoder", metadata={"sae_lens_version": "6.54.12", "hook_name": SITE})
    with pytest.raises(BadValue) as refused:
        imported(source, transcoder)
    assert str(refused.value) == (
        f"{transcoder} holds a transcoder, and does not say which site it reconstructs.\n"
        "A transcoder reads one site and reconstructs another.\nName it:  --target-site SITE"
    )


def test_a_site_without_positions_is_refused_where_all_of_them_are_to_be_looked_at(source, tmp_path):
    with pytest.raises(BadValue) as refused:
        imported(source, saelens(tmp_path / "files", "standard"), positions="all")
    assert str(refused.value) == (
        f"hook_embed of {source.name} at step 0 has one position.\n"
        "All positions of an input are then that of its answer.\nLeave positions out."
    )
    assert source.workspace.names() == [source.name]


@pytest.mark.parametrize(("library", "name", "told"), [
    (saelens, "W_dec", "W_dec holds NaN (1 of 128 values)"),
    (saelens, "b_enc", "b_enc holds infinity (1 of 16 values)"),
    (dictionary_learning, "encoder.weight", "W_enc holds NaN (1 of 128 values)"),
])  # fmt: skip
def test_weights_that_are_no_numbers_are_refused_and_named(source, library, name, told, tmp_path):
    folder = saelens(tmp_path / "files", "standard") if library is saelens else library(tmp_path / "files")
    path = folder / ("sae_weights.safetensors" if library is saelens else "ae.pt")
    weights = dict(load_file(path) if library is saelens else torch.load(path, weights_only=True))
    weights[name] = weights[name].contiguous()
    weights[name].view(-1)[3] = float("inf" if "infinity" in told else "nan")
    save_file(weights, path) if library is saelens else torch.save(weights, path)
    with pytest.raises(BadFile) as refused:
        imported(source, folder, site=SITE)
    assert str(refused.value) == (
        f"{path} cannot be read.\n{told}.\nTake one that was written before its training diverged."
    )
    assert source.workspace.names() == [source.name]


def test_what_no_family_has_can_still_be_read_in_python(source, tmp_path):
    folder = saelens(tmp_path / "files", "transcoder", normalize_activations="layer_norm")
    with pytest.raises(BadFile) as refused:
        imported(source, folder)
    assert str(refused.value) == (
        f"{folder / 'sae_weights.safetensors'} cannot be read.\n"
        "No family here has transcoders with the normalisation 'layer_norm'. "
        "What can be imported is: standard, jumprelu, topk, gated, transcoder, skip_transcoder; "
        "transcoders with a plain ReLU.\nRead it in Python, with the readers of miscope_sae.exchange."
    )


def test_a_folder_that_says_something_else_than_the_first_time_is_refused_in_options_there_are(source, tmp_path):
    folder = saelens(tmp_path / "files", "standard")
    name = imported(source, folder).name
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["model_name"] = "theirs"
    (folder / "cfg.json").write_text(json.dumps(config))
    with pytest.raises(BadValue) as refused:
        imported(source, folder)
    assert str(refused.value) == (
        f"Two states of sae_weights.safetensors are not of one training, and both would be {name}.\n"
        "sae_weights.safetensors says model_name='ours', sae_weights.safetensors says model_name='theirs'.\n"
        "Import the folder as it was the first time; or delete what came of that:  "
        f"miscope delete {name} --workspace {source.workspace.root}"
    )


def test_what_is_no_step_of_one_checkpoint_is_refused_with_what_is(source, command: Command, tmp_path):
    folder, place = saelens(tmp_path / "files", "standard"), source.workspace.root
    for step in ("lats", "all", "every:100"):
        code, _, err = command("sae", "import", folder, "--of", source.name, "--step", step, "-w", place)
        assert (code, err) == (
            1,
            f"'{step}' is not a step.\n{source.name} has 1 checkpoints.\n"
            "Give a step as a number, or 'first', 'last' or 'best'.\n",
        )
    code, _, err = command("sae", "import", folder, "--of", source.name, "--step", "7", "-w", place)
    assert (code, err.split("\n")[0]) == (1, f"{source.name} has no checkpoint at step 7.")


def test_every_refusal_of_the_command_names_options_that_it_has(source, command: Command, tmp_path):
    place = source.workspace.root
    silent, narrow = sparsify(tmp_path / "silent"), saelens(tmp_path / "narrow", "standard", width=D - 1)
    transcoder = saelens(tmp_path / "to", "transcoder", metadata={"sae_lens_version": "6.54.12", "hook_name": SITE})
    unscaled = saelens(tmp_path / "unscaled", "standard", normalize_activations="expected_average_only_in")
    code, options, _ = command("sae", "import", "--help")
    assert code == 0
    for words in (
        [silent, "--of", source.name],
        [silent, "--of", "none"],
        [silent, "--of", source.name, "--site", "hook_embet"],
        [silent, "--of", source.name, "--site", SITE, "--target-site", OUT],
        [silent, "--of", source.name, "--site", SITE, "--positions", "all"],
        [silent, "--of", source.name, "--site", SITE, "--positions", "some"],
        [silent, "--of", source.name, "--site", SITE, "--step", "9"],
        [narrow, "--of", source.name],
        [transcoder, "--of", source.name],
        [unscaled, "--of", source.name],
        [tmp_path, "--of", source.name],
    ):
        code, out, err = command("sae", "import", *words, "-w", place)
        assert (code, out) == (1, ""), words
        assert set(re.findall(r"--[a-z-]+", err)) <= set(re.findall(r"--[a-z-]+", options)), err
