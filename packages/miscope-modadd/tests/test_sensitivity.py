"""Sensitivity of the shipped families, against derivatives of the network's own arithmetic written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from miscope.analyzer import Analyzer
from miscope.analyzers.sensitivity import INPUT_HESSIAN, JACOBIAN
from miscope.errors import DoesNotApply
from miscope.family import Family, make_variant
from miscope.model_context import ModelContext
from miscope.snapshot import Snapshot
from miscope_modadd import open_pass
from miscope_modadd.embedding_mlp import EmbeddingMlpFamily
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.transformer import TransformerFamily

PRIME = 7


def snapshot(family: Family, analyzer: Analyzer, **options: Any) -> Snapshot:
    variant = make_variant(family, {"prime": PRIME})
    context = ModelContext(family, variant)
    assert context.task is not None
    return Snapshot(
        variant=variant,
        step=0,
        options=analyzer.options(**options),
        probe=context.probe(),
        weights=context.task.initial_weights(),
        model=context.model,
    )


def test_the_transformers_derivatives_are_those_of_its_arithmetic_written_out():
    few = {"inputs": 1, "seed": 3}
    norms = snapshot(TransformerFamily(), JACOBIAN, exact=True, **few)
    weights = {role: tensor.double() for role, tensor in norms.weights.items()}
    assert norms.probe.train is not None
    unseen = np.flatnonzero(~norms.probe.train)
    rows = np.sort(np.random.default_rng(3).permutation(unseen)[:1])
    squares, traces = [], []
    for given in norms.probe.inputs[torch.from_numpy(rows)]:

        def logits(embed: Tensor, given: Tensor = given) -> Tensor:
            hooks = [("hook_embed", lambda activation: embed[None])]
            return open_pass.run(weights, given[None], ["logits"], hooks=hooks)["logits"][0, -1]

        embed = weights["W_E"][given]
        best = int(logits(embed).argmax())
        squares.append(float(torch.autograd.functional.jacobian(logits, embed).square().sum()))  # pyright: ignore
        hessian = torch.autograd.functional.hessian(lambda x, best=best, f=logits: f(x)[best], embed)
        traces.append(float(hessian.reshape(embed.numel(), -1).trace()))  # pyright: ignore
    found = JACOBIAN.compute(norms)
    assert found["input/squared_norm"] == pytest.approx(np.mean(squares), rel=1e-9)
    assert found["blocks.0.hook_resid_post/squared_norm"] == pytest.approx(float(weights["W_U"].square().sum()))
    bent = INPUT_HESSIAN.compute(snapshot(TransformerFamily(), INPUT_HESSIAN, probes=100, **few))
    assert abs(bent["input/trace"] - np.mean(traces)) < 4 * bent["input/trace/sem"]
    assert bent["input/trace"] != 0, "ReLUs do not bend, attention does"


def test_the_one_hot_perceptron_has_no_embedding_and_yet_layers():
    with pytest.raises(DoesNotApply, match="inputs are whole numbers, and it has no site 'hook_embed' at which"):
        INPUT_HESSIAN.compute(snapshot(MlpFamily(), INPUT_HESSIAN))
    shown = snapshot(MlpFamily(), JACOBIAN, sites=("blocks.*",))
    found = JACOBIAN.compute(shown)
    out = float(shown.weights["blocks.0.mlp.W_out"].double().square().sum())
    assert "input/squared_norm" not in found
    assert found["blocks.0.mlp.hook_post/squared_norm"] == pytest.approx(out)
    assert 0 < found["blocks.0.mlp.hook_pre/squared_norm"] < out


def test_the_perceptron_on_embeddings_is_varied_in_their_sum_and_does_not_bend():
    found = JACOBIAN.compute(snapshot(EmbeddingMlpFamily(), JACOBIAN))
    assert found["input/squared_norm"] > 0
    assert INPUT_HESSIAN.compute(snapshot(EmbeddingMlpFamily(), INPUT_HESSIAN))["input/trace"] == 0
