"""What goes past the latents: the input itself leaves them nothing to do; a map of low rank or a share of it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miscope.bound import BoundVariant
from miscope_sae.exporting import export_autoencoder

Few = Callable[..., BoundVariant]


def last(variant: BoundVariant, metric: str) -> float:
    return float(variant.metrics()[metric].values[-1])


def test_with_the_input_itself_past_them_no_latent_is_needed(few: Few):
    variant = few("sae.skip", skip_mode="identity_literal", steps=200, lr_schedule_steps=200, learning_rate=1e-2)
    list(variant.train(threads=1))
    assert last(variant, "test_fvu") < 1e-6
    assert last(variant, "test_l0") < 0.5


@pytest.mark.parametrize(("mode", "role"), [("linear_lowrank", "W_skip_out"), ("gated", "g_skip")])
def test_what_is_learned_past_them_begins_at_nothing_and_leaves_latents_their_work(few: Few, mode: str, role: str):
    variant = few("sae.skip", skip_mode=mode, expected_l0=2)
    list(variant.train(threads=1))
    first, ended = (variant.at(when).checkpoint.weights for when in ("first", "last"))
    assert not first[role].any()
    assert ended[role].abs().max() > 0
    assert last(variant, "test_l0") > 0.5
    if mode == "gated":
        assert float(ended[role].min()) >= 0
        assert float(ended[role].max()) <= 0.95


@pytest.mark.parametrize("mode", ["linear_lowrank", "gated", "identity_literal"])
def test_each_is_a_skip_transcoder_of_saelens(few: Few, mode: str, tmp_path_factory: pytest.TempPathFactory):
    variant = few("sae.skip", skip_mode=mode)
    list(variant.train(threads=1))
    place = variant.workspace.value
    assert export_autoencoder(place, variant.value, variant.steps[-1], tmp_path_factory.mktemp("files")) <= 1e-5


def test_the_map_is_of_the_rank_asked_for(few: Few):
    variant = few("sae.skip", skip_rank=3)
    shapes = {name: role.shape for name, role in variant.workspace.value.context(variant.value).model.roles.items()}
    assert (shapes["W_skip_in"], shapes["W_skip_out"]) == ((8, 3), (3, 8))
