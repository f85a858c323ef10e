"""What was trained here gives the same as a plain autoencoder, and in the files of SAELens."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch

from miscope_sae.architectures.batch_top_k import BatchTopKFamily
from miscope_sae.architectures.gated import GatedFamily
from miscope_sae.architectures.jump_relu import JumpReluFamily
from miscope_sae.architectures.matryoshka import MatryoshkaFamily
from miscope_sae.architectures.standard import StandardFamily
from miscope_sae.architectures.top_k import TopKFamily
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.exchange.plain_autoencoder import latents, reconstruction
from miscope_sae.exchange.saelens import load_saelens, save_saelens
from miscope_sae.exchange.trained import plain_of
from miscope_sae.params import Normalisation
from miscope_sae.sites import LATENTS, RECONSTRUCTED

FAMILIES = (StandardFamily, JumpReluFamily, TopKFamily, BatchTopKFamily, GatedFamily, MatryoshkaFamily)
WIDTH, SCALE = 6, 1.7
X = 2 + torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(8))


def random_weights(family: AutoencoderFamily, count: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    shapes = family.shapes(WIDTH, count)
    weights = {name: 0.5 * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}
    return {name: tensor.abs() if name == "threshold" else tensor for name, tensor in weights.items()}


def model_of(family: AutoencoderFamily, mode: Normalisation, *, centred: bool = True, count: int = 20) -> Any:
    params = family.params.model_validate(
        {"variant": "toys.any/a", "step": 0, "site": "hook", "latents": count, "apply_b_dec_to_input": centred}
    )
    architecture = family.architecture(params, None)
    return AutoencoderModel(architecture, family.shapes(WIDTH, count), mode, scales=lambda: (SCALE,))


def close(values: torch.Tensor, expected: torch.Tensor, *, to: float = 1e-5) -> bool:
    return bool((values - expected).abs().max() <= to * expected.abs().max())


@pytest.mark.parametrize("mode", get_args(Normalisation))
@pytest.mark.parametrize("kind", FAMILIES)
def test_a_plain_autoencoder_gives_what_the_trained_one_gives(kind, mode):
    family = kind()
    model, weights = model_of(family, mode), random_weights(family, 20)
    trained = model.answers(weights, X, {LATENTS, RECONSTRUCTED})
    coder = plain_of(model.architecture, weights, mode=mode, scales=model.scales)
    assert close(reconstruction(coder, X), trained[RECONSTRUCTED])
    times = weights["W_dec"].norm(dim=1) if kind is TopKFamily else 1.0
    assert close(latents(coder, X), trained[LATENTS] * times)
    assert 0 < float((trained[LATENTS] > 0).float().mean()) < 1


@pytest.mark.parametrize("kind", FAMILIES)
def test_what_was_trained_is_written_for_saelens(kind, tmp_path):
    family = kind()
    model, weights = model_of(family, "constant_norm", centred=False), random_weights(family, 20)
    expected = model.answers(weights, X, {RECONSTRUCTED})[RECONSTRUCTED]
    coder = plain_of(model.architecture, weights, mode="constant_norm", scales=(SCALE,), metadata={"hook_name": "hook"})
    assert save_saelens(coder, tmp_path, rows=X, expected=expected) <= 1e-5
    assert load_saelens(tmp_path).metadata["hook_name"] == "hook"


def test_fewer_latents_than_k_are_all_kept():
    model, weights = model_of(TopKFamily(), "none", count=5), random_weights(TopKFamily(), 5)
    coder = plain_of(model.architecture, weights, mode="none", scales=(1.0,))
    assert coder.k == 5
    assert close(reconstruction(coder, X), model.answers(weights, X, {RECONSTRUCTED})[RECONSTRUCTED])
