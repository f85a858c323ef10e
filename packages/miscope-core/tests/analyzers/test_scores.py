"""Attention scores of the answer's query and between tokens: the paper's heads, and networks by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.scores import CIRCUITS, QUERIES
from miscope.errors import DoesNotApply
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot
from miscope.testing.toy import cosines

BLOCK = "blocks.0.attn"
AXES = {
    "W_E": ("token", "d_model"),
    f"{BLOCK}.W_Q": ("head", "d_model", "d_head"),
    f"{BLOCK}.W_K": ("head", "d_model", "d_head"),
}


class OneQuery:
    """A model whose residual at the last position is the embedding of the last token, plus its position's."""

    sites = frozenset({f"{BLOCK}.hook_q"})

    def run(self, weights, inputs, sites):
        residual = weights["W_E"][inputs]
        if "W_pos" in weights:
            residual = residual + weights["W_pos"]
        return {site: torch.einsum("npd,hde->nphe", residual, weights[f"{BLOCK}.W_Q"]) for site in sites}


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_heads(calibration, name):
    model = calibration(name)
    shown = {key: value for key, value in model.shown.items() if key != "activations"}
    outputs = QUERIES.compute(Snapshot(options=QUERIES.options(), model=OneQuery(), **shown))
    for head, known in enumerate(model.known["attention"]["heads"]):
        fraction = outputs[f"{BLOCK}[{head}]/fraction"]
        for k, share in known["score_token_freq_fraction_top3"]:
            assert fraction[k - 1] == pytest.approx(share, rel=1e-6)
        assert fraction.sum() == pytest.approx(1)


def wave(k=2, n=5):
    """Tokens on a circle of frequency k and '=' outside it: one head whose query lies along the circle's first axis."""
    x = 2 * np.pi * k * np.arange(n) / n
    embedding = np.zeros((n + 1, 3))
    embedding[:n, 0], embedding[:n, 1], embedding[n, 2] = np.cos(x), np.sin(x), 1
    query, key = np.zeros((2, 1, 3, 4))
    query[0, 2, 0], key[0, 0, 0], key[0, 1, 1] = 6.0, 1, 1
    given = {"W_E": embedding, f"{BLOCK}.W_Q": query, f"{BLOCK}.W_K": key}
    return {role: torch.from_numpy(array) for role, array in given.items()}


def shown(analyzer, weights, last=5, **fields):
    probe = toy_snapshot().probe
    from dataclasses import replace

    tokens = torch.cat([probe.inputs, torch.full((25, 1), 5) if last == 5 else probe.inputs[:, :1]], dim=1)
    given = {"weights": weights, "axes": AXES, "bases": {"token": cosines(5)}, "model": OneQuery()}
    return toy_snapshot(options=analyzer.options(), probe=replace(probe, inputs=tokens), **(given | fields))


def test_the_score_of_a_circle_is_its_wave():
    outputs = QUERIES.compute(shown(QUERIES, wave()))
    assert outputs[f"{BLOCK}[0]/fraction"] == pytest.approx([0, 1])
    assert outputs[f"{BLOCK}[0]/score"] == pytest.approx(3 * np.cos(4 * np.pi * np.arange(5) / 5), abs=1e-6)
    assert outputs[f"{BLOCK}[0]/std"] == pytest.approx(3 / 2**0.5)


def test_a_query_that_depends_on_the_input_is_refused():
    with pytest.raises(DoesNotApply, match="the answer's query differs between inputs in every layer"):
        QUERIES.compute(shown(QUERIES, wave(), last=0))


def test_without_a_basis_a_score_has_no_spectrum():
    with pytest.raises(DoesNotApply, match="the family gives no basis over tokens, and one score a token has no"):
        QUERIES.compute(shown(QUERIES, wave(), bases={}))


def test_a_circuit_that_compares_circles_couples_their_frequency():
    weights = wave()
    weights[f"{BLOCK}.W_Q"] = weights[f"{BLOCK}.W_K"]
    outputs = CIRCUITS.compute(shown(CIRCUITS, weights))
    assert outputs[f"{BLOCK}[0]/fraction"] == pytest.approx([0, 1])
    assert outputs[f"{BLOCK}[0]/across"] == pytest.approx(0, abs=1e-12)
    # cos 2(x - y) over five tokens each, by sqrt 4.
    assert outputs[f"{BLOCK}[0]/power"] == pytest.approx(25 / 2 / 4)


def test_without_a_basis_a_circuit_is_read_in_its_singular_values():
    weights = wave()
    weights[f"{BLOCK}.W_Q"] = weights[f"{BLOCK}.W_K"]
    outputs = CIRCUITS.compute(shown(CIRCUITS, weights, bases={}))
    assert outputs[f"{BLOCK}[0]/basis"].tolist() == ["singular"]
    assert outputs[f"{BLOCK}[0]/fraction"][:2] == pytest.approx([0.5, 0.5])
