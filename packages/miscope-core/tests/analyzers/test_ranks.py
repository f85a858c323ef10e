"""Ranks against the paper's models, and what they say of matrices one knows."""

import numpy as np
import pytest
import torch

from miscope.analyzers.ranks import WEIGHTS, weights
from miscope.errors import DoesNotApply
from miscope.testing import toy_snapshot

NAMES = {
    "stable_rank": "stable_rank",
    "participation_ratio_sigma": "participation_sigma",
    "participation_ratio_sigma2": "participation_sigma2",
    "effective_rank_entropy": "entropy_rank",
}
ROLES = {
    "W_E[:p]": "W_E",
    "W_U[:, :p]": "W_U",
    "W_in": "blocks.0.mlp.W_in",
    "W_out": "blocks.0.mlp.W_out",
    "W_L": "blocks.0.mlp.W_out @ W_U",
}


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_spectra(calibration, name):
    model = calibration(name)
    exact = {role: tensor.double() for role, tensor in model.shown["weights"].items()}
    exact |= {"W_E": exact["W_E"][:113], "W_U": exact["W_U"][:, :113]}
    outputs = computed(exact, model.shown["axes"])
    for tensor, known in model.known["spectra"].items():
        role, head = ROLES.get(tensor), ...
        if role is None:
            role, head = f"blocks.0.attn.{tensor[:3]}", int(tensor[4])
        for theirs, ours in NAMES.items():
            assert outputs[f"{role}/{ours}"][head] == pytest.approx(known[theirs], rel=1e-6), (tensor, ours)
        assert outputs[f"{role}/spectrum"][head][:5] == pytest.approx(known["top5_singular_values"], rel=1e-6)


def computed(matrices, axes, **options):
    tensors = {role: torch.as_tensor(matrix) for role, matrix in matrices.items()}
    return weights(toy_snapshot(weights=tensors, axes=axes, options=WEIGHTS.options(**options)))


def test_every_head_and_every_product_has_ranks_of_its_own():
    random = np.random.default_rng(0)
    axes = {f"blocks.1.attn.W_{n}": ("head", "d_model", "d_head") for n in "QKV"}
    axes["blocks.1.attn.W_O"] = ("head", "d_head", "d_model")
    shapes = dict.fromkeys(axes, (2, 24, 4)) | {"blocks.1.attn.W_O": (2, 4, 24)}
    given = {role: random.standard_normal(shape) for role, shape in shapes.items()}
    outputs = computed(given, axes)
    ov, qk = (
        np.linalg.svd(product, compute_uv=False)
        for product in (
            given["blocks.1.attn.W_V"] @ given["blocks.1.attn.W_O"],
            given["blocks.1.attn.W_Q"] @ given["blocks.1.attn.W_K"].swapaxes(1, 2),
        )
    )
    assert outputs["blocks.1.attn.W_OV/spectrum"] == pytest.approx(ov[:, :4], rel=1e-5)
    assert outputs["blocks.1.attn.W_QK/spectrum"] == pytest.approx(qk[:, :4], rel=1e-5)
    assert outputs["blocks.1.attn.W_OV/stable_rank"].shape == (2,)
    assert np.isnan(outputs["blocks.1.attn.W_OV/outliers"]).all()


def test_a_random_matrix_lies_within_its_own_null():
    outputs = computed({"W_E": np.random.default_rng(5).standard_normal((113, 128))}, {"W_E": ("token", "d_model")})
    for measure in NAMES.values():
        low, _, high = outputs[f"W_E/null_{measure}"]
        assert low - 0.03 * low < outputs[f"W_E/{measure}"] < high + 0.03 * high
    assert outputs["W_E/outliers"] == 0


def test_a_matrix_of_few_directions_lies_far_below_it():
    random = np.random.default_rng(0)
    few = random.standard_normal((113, 5)) @ random.standard_normal((5, 128))
    outputs = computed({"W_E": few + 0.01 * random.standard_normal((113, 128))}, {"W_E": ("token", "d_model")})
    assert outputs["W_E/stable_rank"] < 5 < outputs["W_E/null_stable_rank"][0]
    assert outputs["W_E/outliers"] == 5


def test_vectors_have_no_rank():
    with pytest.raises(DoesNotApply, match="none of its weights is a matrix"):
        computed({"b": np.ones(4)}, {"b": ("d_model",)})
