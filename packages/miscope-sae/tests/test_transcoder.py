"""Transcoders find what one site writes into another; what a linear map adds, they no longer can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from miscope.bound import BoundVariant
from miscope.errors import BadValue
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.exchange.exporting import export_autoencoder
from miscope_sae.exchange.plain_autoencoder import reconstruction
from miscope_sae.exchange.saelens import load_saelens
from miscope_sae.measuring.linear_map import linear_map
from miscope_sae.measuring.matching import best_latents, firing_f1, recovery

STEPS = 600
FIELDS: dict[str, Any] = {
    **{"site": "hook_embed", "target_site": "hook_out", "step": 0, "latents": 64, "allow_out_of_range": True},
    **{"steps": STEPS, "lr_schedule_steps": STEPS, "lr_decay_steps": STEPS // 5, "sparsity_warmup_steps": STEPS // 20},
    **{"learning_rate": 3e-3, "batch_size": 256, "evaluate_every": STEPS, "checkpoints": f"every:{STEPS}"},
    **{"expected_l0": 2, "rho": 0.075},
}
"""64 features in 32 numbers, which write into 24 others."""


@pytest.fixture(scope="module")
def source_of(
    known_source: Callable[..., BoundVariant], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], BoundVariant]:
    """source_of(seed): features, what they write and inputs drawn from it."""
    root = tmp_path_factory.mktemp("transcoders")
    return lambda seed: known_source(root, width_out=24, seed=seed)


@pytest.fixture(scope="module")
def source(source_of: Callable[[int], BoundVariant]) -> BoundVariant:
    return source_of(0)


def trained(source: BoundVariant, **more: Any) -> BoundVariant:
    variant = source.workspace.variant("sae.transcoder", variant=source.name, **{**FIELDS, **more})
    list(variant.train(threads=1))
    return variant


def written(variant: BoundVariant, source: BoundVariant) -> tuple[float, float]:
    """Of what features write: the mean largest cosine with a decoder row, and whether that one's latent fires with it
    (F1, mean)."""
    truth, decoder = (each.numpy() for each in (
        source.at(0).checkpoint.weights["W_out"], variant.at("last").checkpoint.weights["W_dec"]
    ))  # fmt: skip
    on = source.workspace.value.context(source.value).probe().inputs.numpy() > 0
    fires = answered(variant, "hook_sae_acts_post").numpy() > 0
    return recovery(truth, decoder).mmcs, float(firing_f1(on, fires, best_latents(truth, decoder)).mean())


def answered(variant: BoundVariant, site: str) -> Tensor:
    """At all inputs, by the last weights."""
    context = variant.workspace.value.context(variant.value)
    return context.model.answers(variant.at("last").checkpoint.weights, context.probe().inputs, {site})[site]


def check(source: BoundVariant, variant: BoundVariant) -> None:
    cosine, f1 = written(variant, source)
    assert cosine >= 0.95
    assert f1 >= 0.5, "an L1 penalty lets small latents fire beside the right ones"
    variant.analyze("sae.reconstruction", steps=[STEPS])
    found = variant.arrays("sae.reconstruction", STEPS)
    assert found["held_out/fvu"] < 0.3 * found["held_out/linear_fvu"]
    assert 0.4 < found["held_out/linear_fvu"] < 0.6
    assert "held_out/change_fvu" not in found, "the sites have other widths"
    assert float(found["held_out/fvu"]) == pytest.approx(variant.metric("test_fvu")[1][-1], rel=1e-4)


def test_a_transcoder_finds_what_each_feature_writes_and_leaves_less_than_a_linear_map(source: BoundVariant):
    variant = trained(source)
    assert variant.at("last").checkpoint.weights["W_dec"].shape == (64, 24)
    check(source, variant)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_it_finds_others_from_another_seed(source_of: Callable[[int], BoundVariant], seed: int):
    check(source_of(seed), trained(source_of(seed), seed=seed))


def test_with_a_linear_map_beside_them_decoder_rows_are_no_longer_determined(source: BoundVariant):
    """They are as good as gone, though less is left unexplained."""
    variant = trained(source, linear_skip=True)
    assert written(variant, source)[0] < 0.9
    assert variant.metric("test_fvu")[1][-1] < 0.9 * trained(source).metric("test_fvu")[1][-1]


@pytest.mark.parametrize("linear_skip", [False, True])
def test_that_is_said_before_it_is_trained(source: BoundVariant, linear_skip: bool):
    fields = {**FIELDS, "linear_skip": linear_skip}
    variant = source.workspace.variant("sae.transcoder", variant=source.name, **fields)
    remarks = variant.workspace.value.context(variant.value).family.remarks(variant.value)
    assert [str(remark) for remark in remarks if remark.field == "linear_skip"] == [
        "warning, linear_skip: the map may take any share of what a latent writes: read no decoder row as what its "
        "latent writes."
    ] * linear_skip


@pytest.mark.parametrize("linear_skip", [False, True])
def test_it_is_written_for_saelens_with_both_its_sites(source: BoundVariant, linear_skip: bool, tmp_path: Path):
    variant = trained(source, linear_skip=linear_skip)
    assert export_autoencoder(source.workspace.value, variant.value, STEPS, tmp_path) <= 1e-5
    loaded, expected = load_saelens(tmp_path), answered(variant, "hook_sae_recons")
    assert loaded.architecture == ("skip_transcoder" if linear_skip else "transcoder")
    found = reconstruction(loaded, answered(variant, "hook_sae_input"))
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))
    assert (loaded.metadata["hook_name"], loaded.metadata["hook_name_out"]) == ("hook_embed", "hook_out")


def test_what_a_transcoder_cannot_be_is_refused_in_words(source: BoundVariant):
    told = {}
    for name, value in (
        ("target_site", "hook_embed"),
        ("apply_b_dec_to_input", True),
        ("normalize_activations", "layer_norm"),
    ):
        with pytest.raises(BadValue) as error:
            source.workspace.variant("sae.transcoder", variant=source.name, **{**FIELDS, name: value})
        told[name] = str(error.value).splitlines()[0]
    assert told == {
        "target_site": "A transcoder of hook_embed to itself is an autoencoder.",
        "apply_b_dec_to_input": "sae.transcoder refuses apply_b_dec_to_input=True: it must be False.",
        "normalize_activations": "sae.transcoder refuses normalize_activations='layer_norm': it must be 'none' or "
        "'constant_norm'.",
    }


def test_inputs_and_target_are_each_scaled_by_a_number_of_their_own(source: BoundVariant):
    """And the decoder's bias begins at the mean of the targets trained on."""
    variant = source.workspace.variant("sae.transcoder", variant=source.name, **FIELDS)
    context = variant.workspace.value.context(variant.value)
    model = context.model
    assert isinstance(model, AutoencoderModel)
    rows = context.probe().inputs
    given, wanted = model.normalised(rows)
    assert torch.equal(given, rows[:, :32] * model.scales[0])
    assert torch.equal(wanted, rows[:, 32:] * model.scales[1])
    assert [float(each.norm(dim=1).mean()) for each in (given, wanted)] == pytest.approx([32**0.5, 24**0.5], rel=1e-5)
    task = context.task
    assert task is not None
    first = task.initial_weights()
    assert torch.allclose(first["b_dec"], model.normalised(task.train.inputs)[1].mean(0), atol=1e-6)


def test_a_linear_map_finds_itself():
    generator = torch.Generator().manual_seed(0)
    x, slope = (torch.randn(*shape, generator=generator).numpy() for shape in ((40, 5), (5, 3)))
    assert linear_map(x, x @ slope + 2)(2 * x) == pytest.approx(2 * x @ slope + 2, abs=1e-5)
