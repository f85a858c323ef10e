"""Circuits of the published induction heads: the second layer reads the first's previous-token head."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import miscope_toys
from miscope.analyzers.circuits import COMPOSITION, HEADS
from miscope.checkpoint import Checkpoint
from miscope.importing.adopt import adopt
from miscope.testing import check_analyzer
from miscope_toys.induction import InductionFamily

SMALL = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 8}


@pytest.mark.parametrize("analyzer", [HEADS, COMPOSITION], ids=lambda analyzer: analyzer.name)
def test_each_instrument_of_circuits_keeps_the_contract(analyzer):
    check_analyzer(analyzer, InductionFamily(), params=SMALL)


@pytest.fixture
def adopted(calibration, workspace):
    return adopt(workspace(toys=miscope_toys), calibration / "induction_head_infinite.pth")[0]


def test_induction_heads_read_their_keys_from_the_previous_token_head(adopted):
    assert [o.error for o in adopted.analyze("circuits.composition") if o.error] == []
    outputs = adopted.arrays("circuits.composition", step=6000)
    names = outputs["heads"].tolist()
    keys = outputs["K"]
    previous = names.index("blocks.0/2")
    induction = [names.index(f"blocks.1/{head}") for head in (1, 2, 3)]
    assert (keys[previous, induction] > 5 * (outputs["null"][2] - outputs["null"][1])).all()
    assert (keys[:4, induction].argmax(axis=0) == previous).all()
    assert np.isnan(keys[4:]).all()
    assert outputs["expected"] == pytest.approx(48**-0.5)


def test_induction_heads_copy(adopted):
    assert [o.error for o in adopted.analyze("circuits.heads") if o.error] == []
    outputs = adopted.arrays("circuits.heads", step=6000)
    assert (outputs["blocks.1/OV/positivity"][1:] > 0.9).all()
    assert (outputs["blocks.1/OV/copy_score"][1:] > 0.8).all()


def test_the_circuits_of_a_head_are_those_of_its_full_matrices(adopted):
    list(adopted.analyze("circuits.heads"))
    outputs = adopted.arrays("circuits.heads", step=6000)
    w = {name: tensor.double() for name, tensor in adopted.at(6000).checkpoint.weights.items()}
    ov = w["blocks.1.attn.W_V"][2] @ w["blocks.1.attn.W_O"][2]
    qk = w["blocks.1.attn.W_Q"][2] @ w["blocks.1.attn.W_K"][2].T / 12**0.5
    tokens = torch.linalg.eigvals(w["W_E"] @ ov @ w["W_U"])
    assert outputs["blocks.1/OV/norm"][2] == pytest.approx(float(ov.norm()))
    assert outputs["blocks.1/QK/singular"][2] == pytest.approx(torch.linalg.svdvals(qk)[:12].numpy(), rel=1e-5)
    expected = float(tokens.real.sum() / tokens.abs().sum())
    assert outputs["blocks.1/OV/positivity"][2] == pytest.approx(expected, rel=1e-6)
    raised = (w["W_E"] @ ov @ w["W_U"]).argmax(dim=1) == torch.arange(len(w["W_E"]))
    assert outputs["blocks.1/OV/copy_score"][2] == pytest.approx(float(raised.double().mean()))


@pytest.mark.parametrize("family", ["modadd.transformer", "modadd.nanda2023"])
def test_qk_and_ov_are_taken_between_the_same_tokens_numbers_unless_all_are_asked_for(workspace, family):
    modadd = pytest.importorskip("miscope_modadd")
    variant = workspace(modadd=modadd).variant(family, prime=5, **({"steps": 1} if "nanda" not in family else {}))
    w = {name: tensor.double() for name, tensor in saved_initialisation(variant).items()}

    outputs = torch.nn.functional.pad(w["W_U"], (0, 6 - w["W_U"].shape[1]))
    for tokens, count in (("answers", 5), ("all", 6)):
        (outcome,) = variant.analyze("circuits.heads", steps=[0], options={"circuits.heads": {"tokens": tokens}})
        arrays = variant.workspace.store.load_arrays(outcome.keys["circuits.heads"])
        assert (arrays["tokens"], *arrays["token_set"]) == (count, tokens)
        embed = w["W_E"][:count]
        query, key = (embed @ w[f"blocks.0.attn.W_{letter}"] for letter in "QK")
        reads = torch.linalg.eigvals(query @ key.transpose(1, 2))
        writes = torch.linalg.eigvals(embed @ w["blocks.0.attn.W_V"] @ w["blocks.0.attn.W_O"] @ outputs[:, :count])
        for name, values in (("QK", reads), ("OV", writes)):
            expected = (values.real.sum(1) / values.abs().sum(1)).numpy()
            assert arrays[f"blocks.0/{name}/positivity"] == pytest.approx(expected, abs=1e-6)


def saved_initialisation(variant):
    """Weights of step 0, saved as a checkpoint."""
    task = variant.workspace.context(variant.value).task
    weights = task.initial_weights()
    variant.workspace.store.save_variant(variant.value)
    variant.workspace.store.save_checkpoint(variant.name, Checkpoint(step=0, weights=weights))
    return weights


def test_one_layer_has_nothing_to_compose(workspace):
    modadd = pytest.importorskip("miscope_modadd")
    variant = workspace(modadd=modadd).variant("modadd.transformer", prime=5, steps=1)
    list(variant.train(threads=1))
    outcomes = list(variant.analyze("circuits.composition", steps=[0]))
    assert [o.error for o in outcomes] == ["does not apply: heads compose between layers, and it has 1 with attention"]
