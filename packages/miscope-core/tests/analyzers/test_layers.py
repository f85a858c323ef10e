"""Norms by layer: which weights a layer has by their names, and how long they are when they are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.layers import LAYERS, layer_of, layers_in_order
from miscope.role_group import RoleGroup
from miscope.testing import toy_snapshot


@pytest.mark.parametrize(
    ("role", "layer"),
    [
        ("W_E", "embedding"),
        ("W_pos", "embedding"),
        ("embed.weight", "embedding"),
        ("blocks.10.attn.W_Q", "blocks.10.attn"),
        ("blocks.0.ln1.w", "blocks.0.norms"),
        ("blocks.0.ln2.b", "blocks.0.norms"),
        ("blocks.0.mlp.b_in", "blocks.0.mlp"),
        ("ln_final.w", "ln_final"),
        ("b_U", "unembedding"),
        ("W_enc", "W_enc"),
        ("hidden.weight", "hidden"),
        ("layers.3.weight", "layers.3"),
        ("transformer.h.11.attn.c_attn.weight", "transformer.h.11.attn"),
    ],
)
def test_a_weight_is_of_the_layer_that_its_name_says(role: str, layer: str) -> None:
    assert layer_of(role) == layer


def test_layers_stand_in_the_order_of_the_network_and_ten_comes_after_two() -> None:
    roles = ["W_U", "blocks.10.attn.W_Q", "blocks.2.attn.W_Q", "blocks.2.mlp.W_in", "ln_final.w", "W_E", "b_U"]
    assert list(layers_in_order(roles)) == [
        *("embedding", "blocks.2.attn", "blocks.2.mlp", "blocks.10.attn", "ln_final", "unembedding"),
    ]
    assert layers_in_order(roles)["unembedding"] == ["W_U", "b_U"]


def drawn(*shape: int) -> torch.Tensor:
    return 0.02 * torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def test_weights_drawn_as_the_original_transformer_draws_them_have_its_norms() -> None:
    """lal.md 5.7, p = 113 and width 128: embedding 2.43, positions .506, attention 2.56 and MLP 5.12 each."""
    attention = {f"blocks.0.attn.W_{name}": drawn(4, 128, 32) for name in "QKV"}
    weights = {"W_E": drawn(115, 128), "W_pos": drawn(5, 128), **attention, "blocks.0.attn.W_O": drawn(4, 32, 128)}
    weights |= {"blocks.0.mlp.W_in": drawn(128, 512), "blocks.0.mlp.W_out": drawn(512, 128)}
    found = returned_arrays("layers", LAYERS.compute(toy_snapshot(weights=weights)))
    # The norm of n numbers of that size is off by 1 / sqrt(2 n) of itself, at one standard deviation.
    assert float(found["embedding/norm"]) == pytest.approx(np.hypot(2.43, 0.506), rel=0.03)
    assert float(found["blocks.0.attn/norm"]) == pytest.approx(2 * 2.56, rel=0.02)
    assert float(found["blocks.0.mlp/norm"]) == pytest.approx(2**0.5 * 5.12, rel=0.02)
    parts = [float(found[f"{layer}/norm"]) for layer in found["layer"]]
    assert float(found["total/norm"]) == pytest.approx(np.linalg.norm(parts), rel=1e-12)


def test_the_decayed_are_exactly_those_to_which_the_optimizer_gives_a_decay() -> None:
    snapshot = toy_snapshot(weights={"W_E": torch.ones(3, 3), "b": torch.ones(16), "W_U": torch.ones(2, 2)})
    groups = (RoleGroup(roles="W_U", weight_decay=0.0),)
    config = snapshot.variant.training.model_copy(update={"no_decay": ("b",), "role_groups": groups})
    changed = replace(snapshot, variant=replace(snapshot.variant, training=config))
    found = returned_arrays("layers", LAYERS.compute(changed))
    assert (found["decayed/roles"].tolist(), found["not_decayed/roles"].tolist()) == (["W_E"], ["b", "W_U"])
    assert (float(found["decayed/norm"]), float(found["not_decayed/norm"])) == (3, pytest.approx(20**0.5))
    unknown = replace(snapshot, variant=replace(snapshot.variant, training=None))
    found = returned_arrays("layers", LAYERS.compute(unknown))
    assert np.isnan(found["decayed/norm"])
    assert not len(found["decayed/roles"])
