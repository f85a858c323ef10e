"""Transcoders find what one site writes into another; what a linear map adds, they no longer can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import opened

from miscope.bound import BoundVariant
from miscope.errors import BadValue
from miscope_sae.exchange.plain_autoencoder import reconstruction
from miscope_sae.exchange.saelens import load_saelens
from miscope_sae.exporting import export_autoencoder
from miscope_sae.linear_map import linear_map
from miscope_sae.matching import recovery

STEPS = 600
FIELDS: dict[str, Any] = {
    **{"site": "hook_embed", "target_site": "hook_out", "step": 0, "latents": 64, "allow_out_of_range": True},
    **{"steps": STEPS, "lr_schedule_steps": STEPS, "lr_decay_steps": STEPS // 5, "sparsity_warmup_steps": STEPS // 20},
    **{"learning_rate": 3e-3, "batch_size": 256, "evaluate_every": STEPS, "checkpoints": f"every:{STEPS}"},
    **{"expected_l0": 2, "rho": 0.075},
}
"""64 features in 32 numbers, which write into 24 others."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BoundVariant:
    return opened(tmp_path_factory.mktemp("transcoders"), width_out=24)[1]


def trained(source: BoundVariant, **more: Any) -> BoundVariant:
    variant = source.workspace.variant("sae.transcoder", variant=source.name, **{**FIELDS, **more})
    list(variant.train(threads=1))
    return variant


def written(variant: BoundVariant, source: BoundVariant) -> float:
    """Mean over features of the largest cosine of what they write with a decoder row."""
    truth, decoder = source.at(0).checkpoint.weights["W_out"], variant.at("last").checkpoint.weights["W_dec"]
    return recovery(truth, decoder).mmcs


def test_a_transcoder_finds_what_each_feature_writes_and_leaves_less_than_a_linear_map(
    source: BoundVariant, tmp_path: Path
):
    variant = trained(source)
    assert variant.at("last").checkpoint.weights["W_dec"].shape == (64, 24)
    assert written(variant, source) >= 0.95
    variant.analyze("sae.reconstruction", steps=[STEPS])
    found = variant.arrays("sae.reconstruction", STEPS)
    assert found["held_out/fvu"] < 0.3 * found["held_out/linear_fvu"]
    assert 0.3 < found["held_out/linear_fvu"] < 0.7
    assert float(found["held_out/fvu"]) == pytest.approx(float(variant.metrics()["test_fvu"].values[-1]), rel=1e-4)
    assert export_autoencoder(source.workspace.value, variant.value, STEPS, tmp_path) <= 1e-5
    context = source.workspace.value.context(variant.value)
    inputs = context.probe().inputs[:50]
    kept = context.model.answers(variant.at("last").checkpoint.weights, inputs, {"hook_sae_recons"})["hook_sae_recons"]
    assert torch.allclose(reconstruction(load_saelens(tmp_path), inputs[:, :32]), kept, atol=1e-4)


def test_with_a_linear_map_beside_them_decoder_rows_are_not_to_be_known(source: BoundVariant):
    variant = trained(source, linear_skip=True)
    assert written(variant, source) < 0.9
    assert variant.metrics()["test_fvu"].values[-1] < 0.1


def test_a_site_is_not_transcoded_to_itself(source: BoundVariant):
    with pytest.raises(BadValue, match="A transcoder of hook_embed to itself is an autoencoder"):
        source.workspace.variant("sae.transcoder", variant=source.name, **{**FIELDS, "target_site": "hook_embed"})


def test_a_linear_map_finds_itself():
    generator = torch.Generator().manual_seed(0)
    x, slope = (torch.randn(*shape, generator=generator).numpy() for shape in ((40, 5), (5, 3)))
    assert linear_map(x, x @ slope + 2)(2 * x) == pytest.approx(2 * x @ slope + 2, abs=1e-5)
