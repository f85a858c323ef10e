"""What goes past the latents: the input itself leaves them nothing to do; a map of low rank or a share of it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from miscope.bound import BoundVariant
from miscope.errors import BadValue
from miscope_sae.architectures.skip import SkipReLU
from miscope_sae.exchange.exporting import export_autoencoder
from miscope_sae.exchange.plain_autoencoder import reconstruction
from miscope_sae.exchange.saelens import load_saelens
from miscope_sae.updates.dead_latents import AllLatentsDead

Few = Callable[..., BoundVariant]

SHORT = {"steps": 200, "lr_schedule_steps": 200, "lr_decay_steps": 40, "learning_rate": 1e-2, "expected_l0": 2}


def trained(variant: BoundVariant) -> BoundVariant:
    list(variant.train(threads=1))
    return variant


def measured(variant: BoundVariant) -> Mapping[str, np.ndarray]:
    """Of the reconstruction at the end."""
    variant.analyze("sae.reconstruction", steps=[variant.steps[-1]])
    return variant.arrays("sae.reconstruction", variant.steps[-1])


def test_with_the_input_itself_past_them_no_latent_is_needed_and_that_is_said(few: Few):
    variant = trained(few("sae.skip", skip_mode="identity_literal", dead_window_steps=200, **SHORT))
    found = measured(variant)
    assert found["held_out/fvu"] < 1e-3
    assert found["held_out/skip_fvu"] < 1e-10, "what is reconstructed where no latent is active"
    assert found["held_out/latents_fvu"] > 0.9, "what the latents reconstruct alone"
    assert variant.metric("test_skip_fvu")[1].max() < 1e-6, "training records it too"
    figure = variant.view("sae.reconstruction").figure()
    assert "degenerate: at the end " in figure.layout.title.subtitle.text


def test_that_is_said_before_it_is_trained_and_of_no_other_way_past_them(few: Few):
    told = {}
    for mode in ("identity_literal", "linear_lowrank", "gated"):
        variant = few("sae.skip", skip_mode=mode)
        remarks = variant.workspace.value.context(variant.value).family.remarks(variant.value)
        told[mode] = [str(remark) for remark in remarks if remark.field == "skip_mode"]
    assert told == {
        "identity_literal": [
            "warning, skip_mode: identity_literal is degenerate: the reconstruction is perfect where no latent is "
            "active, so its error says nothing of them. Take linear_lowrank or gated."
        ],
        "linear_lowrank": [],
        "gated": [],
    }


@pytest.mark.parametrize("mode", ["linear_lowrank", "gated"])
def test_what_is_learned_past_them_leaves_latents_their_work(few: Few, mode: str):
    variant = trained(few("sae.skip", skip_mode=mode, **SHORT))
    found = measured(variant)
    assert found["held_out/fvu"] < 0.5 * found["held_out/skip_fvu"]
    assert found["held_out/l0"] > 0.5
    assert variant.metric("test_skip_fvu")[1][-1] == pytest.approx(float(found["held_out/skip_fvu"]), rel=1e-4)
    assert "degenerate" not in variant.view("sae.reconstruction").figure().layout.title.subtitle.text


@pytest.mark.parametrize(("mode", "role"), [("linear_lowrank", "W_skip_out"), ("gated", "g_skip")])
def test_what_is_learned_past_them_begins_at_nothing(few: Few, mode: str, role: str):
    variant = trained(few("sae.skip", skip_mode=mode))
    first, ended = (variant.at(when).checkpoint.weights for when in ("first", "last"))
    assert not first[role].any()
    assert ended[role].abs().max() > 0


def test_never_all_of_a_dimension_goes_past_them(few: Few):
    """Not even where that costs nothing."""
    variant = trained(few("sae.skip", skip_mode="gated", skip_penalty=0.0, learning_rate=0.1))
    share = variant.at("last").checkpoint.weights["g_skip"]
    assert float(share.max()) == pytest.approx(0.95)
    assert float(share.min()) >= 0


def test_a_training_in_which_all_goes_past_them_ends_and_says_why(few: Few):
    variant = few("sae.skip", skip_mode="identity_literal", rho=5.0, learning_rate=0.1, dead_window_steps=5)
    with pytest.raises(AllLatentsDead) as told:
        list(variant.train(threads=1))
    first, *rest = str(told.value).splitlines()
    assert first.startswith(f"No latent of {variant.name} fires any more at step ")
    assert rest == [
        "None was active in the last 5 updates: its reconstructions are the decoder's bias and what goes past the "
        "latents, beside which none is needed.",
        "Let less go past them (another skip_mode, a smaller skip_rank, a larger skip_penalty), lower the coefficient "
        "of sparsity (or its thresholds), or raise sparsity_warmup_steps; then train again with --no-resume.",
    ]


@pytest.mark.parametrize("normalise", ["none", "constant_norm"])
@pytest.mark.parametrize("mode", ["linear_lowrank", "gated", "identity_literal"])
def test_each_is_a_skip_transcoder_of_saelens(few: Few, mode: str, normalise: str, tmp_path: Path):
    variant = trained(few("sae.skip", skip_mode=mode, normalize_activations=normalise))
    place, folder = variant.workspace.value, tmp_path / "files"
    assert export_autoencoder(place, variant.value, variant.steps[-1], folder) <= 1e-5
    context = place.context(variant.value)
    rows, weights = context.probe().inputs, variant.at("last").checkpoint.weights
    found = context.model.answers(weights, rows, {"hook_sae_recons"})["hook_sae_recons"]
    loaded = load_saelens(folder)
    assert loaded.architecture == "skip_transcoder"
    assert torch.allclose(reconstruction(loaded, rows), found, atol=1e-5 * float(found.abs().max()))


def test_one_whose_inputs_are_each_normalised_by_themselves_has_no_form_there(few: Few, tmp_path: Path):
    variant = trained(few("sae.skip", normalize_activations="layer_norm", steps=4))
    with pytest.raises(BadValue) as told:
        export_autoencoder(variant.workspace.value, variant.value, 4, tmp_path / "files")
    assert str(told.value) == (
        "An autoencoder with a way past its latents and the normalisation 'layer_norm' has no form in SAELens.\n"
        "It is a transcoder there, behind which no normalisation is undone.\n"
        "Export one trained with normalize_activations=constant_norm or none."
    )


def test_the_map_is_of_the_rank_asked_for(few: Few):
    variant = few("sae.skip", skip_rank=3)
    shapes = {name: role.shape for name, role in variant.workspace.value.context(variant.value).model.roles.items()}
    assert (shapes["W_skip_in"], shapes["W_skip_out"]) == ((8, 3), (3, 8))


def test_a_map_that_could_be_the_identity_is_refused(few: Few):
    with pytest.raises(BadValue) as told:
        list(few("sae.skip", skip_rank=8).train(threads=1))
    assert str(told.value) == (
        "skip_rank=8 is no low rank of a site with 8 numbers.\n"
        "Such a map can be the identity, which leaves the latents nothing to do.\n"
        "Give one from 1 to 7."
    )


@pytest.mark.parametrize("mode", ["linear_lowrank", "gated", "identity_literal"])
def test_what_is_reconstructed_is_that_of_the_latents_and_what_goes_past_them(mode: str):
    generator = torch.Generator().manual_seed(0)
    sizes = {"W_enc": (6, 9), "b_enc": (9,), "W_dec": (9, 6), "b_dec": (6,), "g_skip": (6,)}
    sizes |= {"W_skip_in": (6, 2), "W_skip_out": (2, 6)}
    weights = {name: torch.randn(size, generator=generator) for name, size in sizes.items()}
    x = torch.randn(5, 6, generator=generator)
    past = {
        "linear_lowrank": x @ (weights["W_skip_in"] @ weights["W_skip_out"]),
        "gated": weights["g_skip"] * x,
        "identity_literal": x,
    }
    architecture = SkipReLU(centred=True, mode=mode)  # type: ignore[arg-type]
    latents = torch.relu((x - weights["b_dec"]) @ weights["W_enc"] + weights["b_enc"])
    expected = latents @ weights["W_dec"] + weights["b_dec"] + past[mode]
    found = architecture.reconstructed(weights, architecture.latents(weights, architecture.before(weights, x)), x)
    assert torch.allclose(found, expected, atol=1e-5)
