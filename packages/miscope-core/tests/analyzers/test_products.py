"""Products of weights in the task's basis, against the paper's models, by hand, and under relabelling."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.analyzers.products import ANSWERS, INPUTS
from miscope.maths.sparsity import concentration, gini, hoyer, participation_ratio, top_share
from miscope.testing import check_analyzer, toy_snapshot
from miscope.testing.toy import ToyFamily, cosines

WD, LOW = "wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"


def test_without_a_basis_they_read_singular_vectors():
    check_analyzer(INPUTS, ToyFamily())
    check_analyzer(ANSWERS, ToyFamily())


def of(model, analyzer, computed):
    model.shown["bases"] = model.shown["bases"] | {"sum": cosines(113)}
    return computed(analyzer, model)


def shares(outputs, name):
    return dict(zip(outputs[f"{name}/label"], outputs[f"{name}/fraction"], strict=True))


@pytest.mark.parametrize("name", [WD, LOW])
def test_the_papers_products(calibration, computed, name):
    model = calibration(name)
    read, written = of(model, INPUTS, computed), of(model, ANSWERS, computed)
    mine = {
        "W_E_W_in": shares(read, "W_E @ blocks.0.mlp.W_in"),
        "W_U": shares(written, "W_U"),
        "W_L=W_U^T W_out": shares(written, "blocks.0.mlp.W_out @ W_U"),
    }
    for known, share in mine.items():
        for k, fraction in model.known[known]["freq_power_fraction_nonconst_top10"]:
            assert share[str(k)] == pytest.approx(fraction, rel=1e-6)
    keys = [str(k) for k in model.known["key_freqs"]["USED"]]
    known = model.known["W_L=W_U^T W_out"]
    assert sum(mine["W_L=W_U^T W_out"][k] for k in keys) == pytest.approx(
        known["key_freq_power_fraction_nonconst"], rel=1e-6
    )
    assert written["blocks.0.mlp.W_out @ W_U/gini_norm"] == pytest.approx(
        known["gini_112_component_norms_no_const"], rel=1e-6
    )
    assert written["W_U/gini_norm"] == pytest.approx(model.known["W_U"]["gini_112_component_norms_no_const"], rel=1e-6)
    assert read["W_E/gini"] == pytest.approx(model.known["W_E"]["gini_56_freq_power"], rel=1e-6)


def test_each_heads_path_is_a_product_of_its_own(calibration, computed):
    model = calibration(WD)
    outputs = of(model, INPUTS, computed)
    weights = {role: tensor.double() for role, tensor in model.shown["weights"].items()}
    path = weights["W_E"][:113] @ weights["blocks.0.attn.W_V"][2] @ weights["blocks.0.attn.W_O"][2]
    power = ((cosines(113).rows @ path.numpy()) ** 2).sum(axis=1)[1:].reshape(56, 2).sum(axis=1)
    name = "W_E @ blocks.0.attn.W_V[2] @ blocks.0.attn.W_O[2]"
    assert outputs[f"{name}/fraction"] == pytest.approx(power / power.sum())
    assert sum(n.endswith("/gini") and "W_V" in n for n in outputs) == 4


def test_sparsity_has_its_closed_forms():
    one, equal, five = np.eye(56)[3], np.ones(56), np.repeat([1.0, 0.0], [5, 51])
    assert [gini(one), hoyer(one), concentration(one), participation_ratio(one)] == pytest.approx([55 / 56, 1, 1, 1])
    assert [gini(equal), hoyer(equal), concentration(equal)] == pytest.approx([0, 0, 0], abs=1e-12)
    assert [gini(five), participation_ratio(five), top_share(five, 4)] == pytest.approx([51 / 56, 5, 0.8])
    assert [f(np.zeros(4)) for f in (gini, hoyer, concentration, participation_ratio)] == [0] * 4


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**31))
def test_multiplying_all_tokens_by_a_unit_permutes_the_blocks(unit, seed):
    draws = np.random.default_rng(seed)
    weights = {"W_E": torch.from_numpy(draws.normal(size=(11, 4))), "W_in": torch.from_numpy(draws.normal(size=(4, 6)))}
    moved = weights | {"W_E": weights["W_E"][unit * np.arange(11) % 11]}
    axes = {"W_E": ("token", "d_model"), "W_in": ("d_model", "d_mlp")}
    share = {}
    for name, shown in {"before": weights, "after": moved}.items():
        snapshot = toy_snapshot(options=INPUTS.options(), weights=shown, axes=axes, bases={"token": cosines(11)})
        share[name] = INPUTS.compute(snapshot)["W_E @ W_in/fraction"]
    k = unit * np.arange(1, 6) % 11
    assert share["after"][np.minimum(k, 11 - k) - 1] == pytest.approx(share["before"])
