"""Heads alone and in pairs, against weights with those heads set to zero; the paper's model against its numbers."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analyzers.ablations import EFFECTS
from miscope.analyzers.interactions import INTERACTIONS
from miscope.errors import DoesNotApply
from miscope.family import Family, make_variant
from miscope.model_context import ModelContext
from miscope.snapshot import Snapshot
from miscope.testing import check_analyzer
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.transformer import TransformerFamily

NAME = "wd_10-1_mod_addition_loss_curve.pth"
EXACT: Any = {"inputs": 0, "precision": "float64"}


def snapshot_of(family: Family, params: dict[str, Any], weights: dict[str, torch.Tensor] | None = None) -> Snapshot:
    context = ModelContext(family, make_variant(family, params, {"train_fraction": 0.5}))
    random, roles = torch.Generator().manual_seed(0), context.model.roles
    drawn = {n: torch.randn(r.shape, generator=random, dtype=torch.float64) / 4 for n, r in roles.items()}
    return Snapshot(
        variant=context.variant,
        step=0,
        options=INTERACTIONS.options(**EXACT, mode="zero"),
        probe=context.probe(),
        weights=weights or drawn,
        axes={role: roles[role].axes for role in roles},
        model=context.model,
    )


SMALL = snapshot_of(TransformerFamily(), {"prime": 7})


def loss_without(*heads: int) -> float:
    """Of the network whose weights let these heads write nothing."""
    assert SMALL.model is not None
    assert SMALL.probe.labels is not None
    output = SMALL.weights["blocks.0.attn.W_O"].clone()
    output[list(heads)] = 0
    logits = SMALL.model.answers({**SMALL.weights, "blocks.0.attn.W_O": output}, SMALL.probe.inputs, ["logits"])
    return float(torch.nn.functional.cross_entropy(logits["logits"], SMALL.probe.labels))


def test_interactions_of_components_keep_the_contract() -> None:
    check_analyzer(INTERACTIONS, TransformerFamily(), params={"prime": 5})


def test_heads_at_zero_are_heads_that_write_nothing() -> None:
    outputs = INTERACTIONS.compute(SMALL)
    clean = loss_without()
    assert outputs["head"].tolist() == ["L0H0", "L0H1", "L0H2", "L0H3"]
    assert outputs["clean/all_loss"] == pytest.approx(clean, rel=1e-9)
    assert outputs["none/all_loss"] == pytest.approx(loss_without(0, 1, 2, 3), rel=1e-9)
    assert outputs["ablated/all/loss"] == pytest.approx([loss_without(h) - clean for h in range(4)], rel=1e-6)
    rest = [loss_without(*(g for g in range(4) if g != h)) - clean for h in range(4)]
    assert outputs["alone/all/loss"] == pytest.approx(rest, rel=1e-6)
    for g, h in ((0, 1), (3, 2)):
        expected = loss_without(g, h) - loss_without(g) - loss_without(h) + clean
        assert outputs["pair/all/loss"][g, h] == pytest.approx(expected, abs=1e-9)
    assert np.diag(outputs["pair/all/loss"]).tolist() == [0, 0, 0, 0]


def test_a_head_that_writes_nothing_interacts_with_none() -> None:
    output = SMALL.weights["blocks.0.attn.W_O"].clone()
    output[2] = 0
    silent = replace(SMALL, weights={**SMALL.weights, "blocks.0.attn.W_O": output})
    for mode in ("mean", "zero", "resample"):
        outputs = INTERACTIONS.compute(replace(silent, options=INTERACTIONS.options(**EXACT, mode=mode)))
        assert np.abs(outputs["pair/all/loss"][2]).max() == pytest.approx(0, abs=1e-12)
        assert np.abs(outputs["pair/all/loss"]).max() > 1e-6


def test_only_the_heads_that_matter_most_are_paired() -> None:
    outputs = INTERACTIONS.compute(replace(SMALL, options=INTERACTIONS.options(**EXACT, mode="zero", most=2)))
    assert len(outputs["head"]) == 2
    assert outputs["pair/all/loss"].shape == (2, 2)


def test_a_network_without_heads_has_no_interaction() -> None:
    with pytest.raises(DoesNotApply) as error:
        INTERACTIONS.compute(snapshot_of(MlpFamily(), {"prime": 7}))
    assert "an interaction takes two attention heads, and its model shows 0" in str(error.value)


def test_one_head_out_is_what_the_effects_say_in_every_mode() -> None:
    effects = EFFECTS.compute(replace(SMALL, options=EFFECTS.options.model_validate(EXACT)))
    for row, mode in enumerate(effects["mode"].tolist()):
        outputs = INTERACTIONS.compute(replace(SMALL, options=INTERACTIONS.options(**EXACT, mode=mode)))
        for what in ("loss", "loss_sem", "accuracy"):
            assert outputs[f"ablated/test/{what}"] == pytest.approx(
                effects[f"test/{what}"][row, :4], rel=1e-9, abs=1e-12
            )


@pytest.mark.slow
def test_the_papers_heads(calibration_file: Callable[[str], Path]) -> None:
    """At their means; that other modes are those of the effects, which the paper's numbers hold to, is said above."""
    known = json.loads(calibration_file("paper_calibration.json").read_text())["models"][NAME]["ablations"]
    family = Nanda2023Family()
    stored = torch.load(calibration_file(NAME), map_location="cpu", weights_only=True)["model"]
    variant = make_variant(family, {"seed": 1}, {"weight_decay": 0.1})
    weights = family.adopt(stored, variant.params)
    assert weights is not None
    context = ModelContext(family, variant)
    shown = snapshot_of(family, {"seed": 1}, dict(weights))
    options = INTERACTIONS.options(**EXACT, mode="mean")
    outputs = INTERACTIONS.compute(replace(shown, variant=variant, probe=context.probe(), options=options))
    for h in range(4):
        theirs = known[f"mean_ablate_head_{h}"]
        assert outputs["ablated/test/loss"][h] + outputs["clean/test_loss"] == pytest.approx(theirs["test"], rel=1e-6)
        assert outputs["ablated/all/accuracy"][h] + outputs["clean/all_accuracy"] == pytest.approx(theirs["acc_all"])
    assert outputs["none/test_loss"] == pytest.approx(known["mean_ablate_all_heads"]["test"], rel=1e-6)
    assert outputs["none/all_accuracy"] == pytest.approx(1 / 113)
