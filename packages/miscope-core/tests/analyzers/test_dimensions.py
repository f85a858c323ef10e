"""Dimensions of activations, against the paper's models."""

import numpy as np
import pytest
import torch

from miscope.analyzers.dimensions import ACTIVATIONS
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot

POST, MLP_OUT = "blocks.0.mlp.hook_post", "blocks.0.hook_mlp_out"


def values_of(weights, inputs, pattern):
    """z (N, head, d_head) of the paper's model, float64."""
    w = {role: tensor.double() for role, tensor in weights.items()}
    stream = w["W_E"][inputs] + w["W_pos"][: inputs.shape[1]]
    value = torch.einsum("npd,hde->nhpe", stream, w["blocks.0.attn.W_V"])
    return torch.einsum("nhk,nhke->nhe", pattern.double(), value), stream[:, -1], w


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_dimensions(calibration, name):
    model = calibration(name)
    post, pattern = (model.shown["activations"][s] for s in (POST, "blocks.0.attn.hook_pattern"))
    z, stream, w = values_of(model.shown["weights"], model.shown["probe"].inputs, pattern)
    resid = stream + torch.einsum("nhe,hed->nd", z, w["blocks.0.attn.W_O"])
    resid = resid + post.double() @ w["blocks.0.mlp.W_out"] + w["blocks.0.mlp.b_out"]
    sites = {"blocks.0.attn.hook_z": z.float(), POST: post, "blocks.0.hook_resid_post": resid.float()}
    outputs = ACTIVATIONS.compute(Snapshot(**model.shown | {"activations": sites}, options=ACTIVATIONS.options()))
    ours = {"post": POST, "mlp_out": MLP_OUT}
    ours |= {"attn_out": "blocks.0.hook_attn_out", "resid_post": "blocks.0.hook_resid_post"}
    for short, site in ours.items():
        known = model.known["activation_dimensionality"][short]
        assert outputs[f"{site}/participation_ratio"] == pytest.approx(known["participation_ratio_cov"], rel=1e-4)
        assert outputs[f"{site}/dimensions_90"] == known["n_dims_for_90pct_var"]
        assert outputs[f"{site}/dimensions_99"] == known["n_dims_for_99pct_var"]
    assert outputs["between_null"] == pytest.approx(112 / 12768)
    assert outputs["blocks.0.hook_resid_post/between_share"] > 0.5


def test_what_a_layer_writes_is_measured_without_recording_it():
    generator = torch.Generator().manual_seed(0)
    post, matrix = torch.rand(25, 6, generator=generator), torch.randn(6, 4, generator=generator)
    shown = {
        "activations": {POST: post, "blocks.0.hook_mlp_ou_st": post @ matrix},
        "weights": {"blocks.0.mlp.W_out": matrix},
        "axes": {"blocks.0.mlp.W_out": ("d_mlp", "d_model")},
    }
    outputs = ACTIVATIONS.compute(toy_snapshot(options=ACTIVATIONS.options(), **shown))
    for what in ("participation_ratio", "variance", "between_share", "within_ratio", "between_ratio"):
        assert outputs[f"{MLP_OUT}/{what}"] == pytest.approx(
            float(outputs[f"blocks.0.hook_mlp_ou_st/{what}"]), rel=1e-4
        )


def test_a_layer_that_writes_logits_writes_nothing_to_the_stream():
    axes = {"blocks.0.mlp.W_out": ("d_mlp", "vocab_out")}
    shown = {"activations": {POST: torch.rand(25, 6)}, "weights": {"blocks.0.mlp.W_out": torch.eye(6)}, "axes": axes}
    outputs = ACTIVATIONS.compute(toy_snapshot(options=ACTIVATIONS.options(), **shown))
    assert f"{MLP_OUT}/variance" not in outputs
    assert np.isfinite(outputs[f"{POST}/participation_ratio"])
