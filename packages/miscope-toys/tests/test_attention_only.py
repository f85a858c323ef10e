"""One network, two ways to run it: the TransformerLens bridge and a few lines of PyTorch."""

from __future__ import annotations

import pytest
import torch

from miscope.model import LOGITS
from miscope_toys.attention_only import Architecture, adopt_roles, build_model, initial_weights, logits

PLAIN = Architecture(vocabulary=11, context=9, d_model=8, heads=2, layer_norm=False)
NORMALISED = Architecture(vocabulary=11, context=9, d_model=8, heads=2)
DEEP = Architecture(vocabulary=7, context=5, d_model=12, heads=3, layers=3)


def some_weights(architecture: Architecture) -> dict[str, torch.Tensor]:
    """Random everywhere, LayerNorm's weights and biases too, in double precision."""
    generator = torch.Generator().manual_seed(1)
    return {role.name: torch.randn(role.shape, generator=generator).double() for role in architecture.roles}


def some_tokens(architecture: Architecture) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(architecture.vocabulary, (6, architecture.context), generator=generator)


@pytest.mark.parametrize("architecture", [PLAIN, NORMALISED, DEEP])
def test_the_bridge_computes_what_the_few_lines_compute(architecture: Architecture) -> None:
    weights, tokens = some_weights(architecture), some_tokens(architecture)
    hooked = build_model(architecture).run(weights, tokens, [LOGITS])[LOGITS]
    torch.testing.assert_close(logits(architecture, weights, tokens), hooked, rtol=1e-9, atol=1e-9)


def test_many_sequences_are_computed_in_parts_with_the_same_numbers() -> None:
    weights, tokens = some_weights(NORMALISED), some_tokens(NORMALISED).repeat(30, 1)
    each = torch.cat([logits(NORMALISED, weights, row[None]) for row in tokens])
    torch.testing.assert_close(logits(NORMALISED, weights, tokens), each)


@pytest.mark.parametrize("architecture", [PLAIN, NORMALISED])
def test_every_site_is_recorded_with_one_row_for_each_input_and_position(architecture: Architecture) -> None:
    model, tokens = build_model(architecture), some_tokens(architecture)
    seen = model.run(some_weights(architecture), tokens, model.sites)
    n, t, d, h = *tokens.shape, architecture.d_model, architecture.heads
    for layer in range(architecture.layers):
        assert seen[f"blocks.{layer}.hook_resid_post"].shape == (n, t, d)
        assert seen[f"blocks.{layer}.attn.hook_z"].shape == (n, t, h, architecture.d_head)
        assert seen[f"blocks.{layer}.attn.hook_pattern"].shape == (n, h, t, t)


def test_attention_never_looks_ahead() -> None:
    model, tokens = build_model(NORMALISED), some_tokens(NORMALISED)
    for layer in range(NORMALISED.layers):
        pattern = model.run(some_weights(NORMALISED), tokens, [site := f"blocks.{layer}.attn.hook_pattern"])[site]
        assert pattern.triu(1).abs().max() == 0
        torch.testing.assert_close(pattern.sum(-1), torch.ones_like(pattern[..., 0]))


def test_without_normalisation_there_are_no_weights_and_sites_of_it() -> None:
    assert not [role.name for role in PLAIN.roles if "ln" in role.name]
    assert not [site for site in PLAIN.sites if "ln" in site]


def test_the_first_weights_leave_layer_norm_alone_and_write_less_the_deeper_the_network() -> None:
    wide = Architecture(vocabulary=64, context=64, d_model=64, layers=8)
    weights = initial_weights(wide, seed=0)
    assert torch.equal(weights["ln_final.w"], torch.ones(64))
    assert torch.equal(weights["blocks.3.ln1.b"], torch.zeros(64))
    assert float(weights["W_E"].std()) == pytest.approx(0.1, rel=0.05)
    assert float(weights["blocks.7.attn.W_O"].std()) == pytest.approx(0.1 / 4, rel=0.05)


def test_weights_of_another_shape_are_not_adopted() -> None:
    weights = initial_weights(PLAIN, seed=0)
    assert adopt_roles(PLAIN, weights) is not None
    assert adopt_roles(PLAIN, {**weights, "W_pos": torch.zeros(4, 8)}) is None
    assert adopt_roles(NORMALISED, weights) is None
