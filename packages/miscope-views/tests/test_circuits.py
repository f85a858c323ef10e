from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily, check_view, tables
from miscope.testing.toy import cosines
from miscope_views import circuits

VARIANT = make_variant(ToyFamily(), {})
GENERATOR = torch.Generator().manual_seed(0)
WEIGHTS = {"W_E": torch.randn(6, 4, generator=GENERATOR), "W_U": torch.randn(4, 5, generator=GENERATOR)}
for letter in "QKV":
    WEIGHTS[f"blocks.0.attn.W_{letter}"] = torch.randn(2, 4, 3, generator=GENERATOR)
WEIGHTS["blocks.0.attn.W_O"] = torch.randn(2, 3, 4, generator=GENERATOR)
SHOWN = ViewData(variant=VARIANT, step=3, steps=np.array([3]), weights=WEIGHTS)


@pytest.mark.parametrize("view", circuits.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_model(view):
    toys = pytest.importorskip("miscope_toys")
    from miscope_toys.induction import InductionFamily

    small = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 8}
    check_view(view, InductionFamily(), plugins=tables(view, toys=toys), params=small)


def test_the_maps_are_the_products_of_the_heads_matrices():
    w = {name: tensor.double().numpy() for name, tensor in WEIGHTS.items()}
    score = w["W_E"] @ w["blocks.0.attn.W_Q"][1] @ w["blocks.0.attn.W_K"][1].T @ w["W_E"].T / 3**0.5
    effect = w["W_E"] @ w["blocks.0.attn.W_V"][1] @ w["blocks.0.attn.W_O"][1] @ w["W_U"]
    drawn = circuits.qk(SHOWN, head="L0H1", order="token"), circuits.ov(SHOWN, head="L0H1", order="token")
    np.testing.assert_allclose(drawn[0].data[0].z, score, rtol=1e-5)
    np.testing.assert_allclose(drawn[1].data[0].z, effect, rtol=1e-5)
    assert drawn[0].layout.coloraxis.cmin == -drawn[0].layout.coloraxis.cmax


def test_in_the_basis_a_map_keeps_its_power_over_the_tokens_the_basis_is_about():
    shown = ViewData(variant=VARIANT, step=3, steps=np.array([3]), weights=WEIGHTS, bases={"token": cosines(5)})
    plain, turned = (circuits.ov(shown, head="L0H0", order=order).data[0].z for order in ("token", "basis"))
    assert turned.shape == (5, 5)
    assert (turned**2).sum() == pytest.approx((plain[:5] ** 2).sum(), rel=1e-5)


def test_heads_are_offered_only_where_there_are_tokens_at_both_ends():
    offered = circuits.VIEWS[0].controls[0].options_from
    assert list(offered(SHOWN)) == ["L0H0", "L0H1"]
    alone = ViewData(variant=VARIANT, step=3, steps=np.array([3]), weights={"W_E": WEIGHTS["W_E"]})
    assert list(offered(alone)) == []


def test_composition_shows_only_writers_and_readers():
    matrix = np.full((4, 4), np.nan)
    matrix[:2, 2:] = [[0.1, -0.2], [0.3, 0.0]]
    at = {"heads": np.array(["blocks.0/0", "blocks.0/1", "blocks.1/0", "blocks.1/1"]), "K": matrix}
    at["null"] = np.array([0.1, 0.12, 0.14])
    history = {"circuits.composition": {name: array[None] for name, array in at.items()}}
    shown = ViewData(
        variant=VARIANT, step=3, steps=np.array([3]), artifacts={"circuits.composition": at}, history=history
    )
    heat = circuits.composition(shown, kind="K").data[0]
    assert (list(heat.y), list(heat.x)) == (["L0H0", "L0H1"], ["L1H0", "L1H1"])
    assert heat.z[1, 0] == pytest.approx(0.3)


def test_figures_of_positivity_say_between_which_tokens():
    at = {
        "blocks.0/OV/eigenvalue": np.ones((1, 2, 2)),
        "blocks.0/OV/positivity": np.array([0.5]),
        "blocks.0/OV/norm": np.array([0.5]),
        "tokens": np.array(5),
        "token_set": np.array(["answers"]),
    }
    one = ViewData(variant=VARIANT, step=3, steps=np.array([3]), artifacts={"circuits.heads": at})
    assert "between the 5 tokens that are answers" in circuits.eigenvalues(one, circuit="OV").layout.title.subtitle.text
    over = {name: array[None] for name, array in at.items()} | {"step": np.array([3])}
    over["tokens"], over["token_set"] = np.array([6]), np.array([["all"]])
    path = ViewData(variant=VARIANT, step=None, steps=np.array([3]), artifacts={"circuits.heads": over})
    drawn = {
        quantity: circuits.heads(path, quantity=quantity).layout.title.subtitle.text
        for quantity in ("copying (positivity of OV)", "norm of OV")
    }
    assert [text.endswith("between all 6 tokens") for text in drawn.values()] == [True, False]


def test_a_click_on_a_head_selects_it_by_the_name_that_maps_offer():
    block = {"blocks.0/OV/eigenvalue": np.ones((2, 3, 2)), "blocks.0/OV/positivity": np.ones(2)}
    figure = circuits.eigenvalues(replace(SHOWN, artifacts={"circuits.heads": block}), circuit="OV")
    assert figure.layout.legend.title.side == "top"  # beside its entries it would be wider than a card
    told = [trace.meta["selects"]["same"]["head"] for trace in figure.data if trace.meta]
    assert told == list(circuits.VIEWS[0].controls[0].options_from(SHOWN))
