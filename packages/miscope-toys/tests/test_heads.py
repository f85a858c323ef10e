"""Head roles on the published induction heads, and what instruments of heads say of models without any."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import miscope_toys
from miscope.analyzers.heads import DIFFERENTIATION, DISTANCES, ROLES
from miscope.checkpoint import Checkpoint
from miscope.errors import DoesNotApply
from miscope.testing import check_analyzer
from miscope_toys.induction import InductionFamily

NAME = "induction_head_infinite.pth"
THEIRS = {"previous token": "previous_token_score", "duplicate token": "duplicate_token_score"}
THEIRS |= {"induction": "induction_score_most_recent_copy", "prefix matching": "prefix_matching_all_copies"}
SMALL = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 8}


@pytest.fixture
def roles(calibration, workspace):
    """roles(**options): the instrument's arrays on the published model."""
    adopted = workspace(toys=miscope_toys).adopt(calibration / NAME)[0]

    def computed(**options):
        (outcome,) = adopted.analyze("heads.roles", options={"heads.roles": options})
        assert not outcome.error
        return adopted.workspace.store.load_arrays(outcome.keys["heads.roles"])

    return computed


@pytest.mark.parametrize("analyzer", [ROLES, DISTANCES, DIFFERENTIATION], ids=lambda analyzer: analyzer.name)
def test_each_instrument_of_heads_keeps_the_contract(analyzer):
    check_analyzer(analyzer, InductionFamily(), params=SMALL)


@pytest.fixture
def known(calibration):
    return json.loads((calibration / "paper_calibration.json").read_text())["models"][NAME]


def test_every_score_of_every_head_is_that_of_the_file(roles, known):
    outputs = roles(periods=[16, 28, 42], distinct=False)
    labels = outputs["label"].tolist()
    for layer, head in np.ndindex(2, 4):
        each = outputs[f"blocks.{layer}.attn.hook_pattern/each"][:, :, head]
        for i, (period, copies) in enumerate(((16, 5), (28, 3), (42, 2))):
            expected = known[f"repeat_period_{period}_x{copies}"]["heads"][f"L{layer}H{head}"]
            for ours, theirs in THEIRS.items():
                assert each[i, labels.index(ours)] == pytest.approx(expected[theirs], rel=1e-6)


def test_three_heads_match_prefixes_and_one_looks_at_the_previous_token(roles):
    outputs = roles(periods=[16], distinct=False)
    prefix, previous = (outputs["label"].tolist().index(name) for name in ("prefix matching", "previous token"))
    first, second = (outputs[f"blocks.{layer}.attn.hook_pattern/score"] for layer in (0, 1))
    assert second[prefix] == pytest.approx([0.0802, 0.4237, 0.4320, 0.4229], abs=1e-4)
    assert first[previous, 2] == pytest.approx(0.286, abs=5e-4)
    assert outputs["gain"] == pytest.approx(1.89, abs=0.1)
    assert outputs["blocks.0.attn.hook_pattern/role"].tolist() == ["", "", "previous token", ""]
    assert outputs["blocks.1.attn.hook_pattern/role"].tolist() == ["", *["prefix matching"] * 3]
    named = [role for site in range(2) for role in outputs[f"blocks.{site}.attn.hook_pattern/role"] if role]
    share = np.unique(named, return_counts=True)[1] / len(named)
    assert outputs["distinct_roles"] == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    assert outputs["strongest/prefix_matching"] == pytest.approx(0.432, abs=1e-3)


def test_a_score_is_its_least_over_periods_and_stands_far_above_tokens_that_do_not_repeat(roles):
    outputs = roles()
    site = "blocks.1.attn.hook_pattern"
    assert outputs["period"].tolist() == [17, 28, 42]
    assert outputs[f"{site}/score"] == pytest.approx(outputs[f"{site}/each"].min(axis=0))
    prefix = outputs["label"].tolist().index("prefix matching")
    assert (outputs[f"{site}/score"][prefix, 1:] > 0.2).all()
    assert (outputs[f"{site}/null"][prefix] < 0.08).all()
    assert (outputs[f"{site}/sem"] < 0.02).all()


def test_heads_that_look_at_a_place_whatever_is_there_are_named_after_it_and_even_attention_is_not(workspace):
    variant = workspace(toys=miscope_toys).variant("toys.induction", **{**SMALL, "width": 64}, steps=1)
    family = InductionFamily()
    weights = {r: torch.zeros(role.shape) for r, role in family.model(variant.value.params).roles.items()}
    weights |= {role: torch.ones_like(tensor) for role, tensor in weights.items() if role.endswith(".w")}
    place = torch.eye(16)
    weights["W_pos"][:, :16] = place
    for head, asked in enumerate((place.roll(-1, 1), place, place[:1].expand(16, -1))):
        weights["blocks.0.attn.W_Q"][head, :16] = 10 * asked
        weights["blocks.0.attn.W_K"][head, :16] = place
    variant.workspace.store.save_variant(variant.value)
    variant.workspace.store.save_checkpoint(variant.name, Checkpoint(step=0, weights=weights))
    (outcome,) = variant.analyze("heads.roles", options={"heads.roles": {"periods": [8]}})
    outputs = variant.workspace.store.load_arrays(outcome.keys["heads.roles"])
    site = "blocks.0.attn.hook_pattern"
    assert outputs[f"{site}/role"].tolist() == ["previous token", "current token", "first token", ""]
    assert outputs[f"{site}/score"][[0, 1, 2], [0, 1, 2]] == pytest.approx([1, 1, 1], abs=1e-3)
    even = sum(1 / seen for seen in range(2, 17)) / 15
    assert outputs[f"{site}/null"][0] == pytest.approx([even] * 4)
    assert outputs[f"{site}/score"][0, 3] == pytest.approx(even)


def test_a_model_without_heads_is_told_so(workspace):
    variant = workspace(toys=miscope_toys).variant("toys.parity", bits=8, examples=64, width=8, steps=1)
    list(variant.train(threads=1))
    with pytest.raises(DoesNotApply, match=r"toys\.parity has no site 'blocks\.\*\.attn\.hook_pattern'"):
        variant.analyze("heads.roles", steps=[0])


def test_sequences_too_short_to_repeat_are_told_so(workspace):
    modadd = pytest.importorskip("miscope_modadd")
    variant = workspace(modadd=modadd).variant("modadd.transformer", prime=5, steps=1)
    list(variant.train(threads=1))
    (outcome,) = variant.analyze("heads.roles", steps=[0])
    expected = "a repeat needs sequences of 8 tokens at least, and it has sequences of at most 3 tokens"
    assert outcome.error == f"does not apply: {expected}"
