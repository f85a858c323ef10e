"""Fisher information against whole matrices of models one can lay out, and noise scales against numpy's covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from miscope.analysis.losses import losses_of
from miscope.analyzers.example_curvature import FISHER, NOISE, fisher, noise
from miscope.cross_entropy import classification
from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.family import make_variant
from miscope.loss_function import LossFunction
from miscope.model_context import ModelContext
from miscope.objective import Objective, Term
from miscope.snapshot import Snapshot
from miscope.testing import toy_snapshot
from miscope.testing.toy_gated import ToyGated
from miscope.testing.toy_sequences import ToySequences

RANDOM = torch.Generator().manual_seed(0)
INPUTS = torch.randn(20, 3, generator=RANDOM, dtype=torch.float64)
LABELS = torch.randint(0, 4, (20,), generator=RANDOM)
W = torch.randn(3, 4, generator=RANDOM, dtype=torch.float64)


def linear(weights: Mapping[str, Tensor], inputs: Tensor) -> dict[str, Tensor]:
    return {"logits": inputs @ weights["W"]}


LOSS = LossFunction(objective=classification(), run=linear, examples=Examples(inputs=INPUTS, labels=LABELS), step=0)


def of_linear(options: Any, loss: LossFunction = LOSS) -> Snapshot:
    return toy_snapshot(weights={"W": W}, losses={"train": loss}, options=options)


def test_the_true_fisher_of_a_linear_softmax_model_is_the_hessian_of_its_loss():
    outputs = fisher(of_linear(FISHER.options(draws=200)))
    hessian = torch.func.jacrev(torch.func.jacrev(lambda w: cross_entropy(INPUTS @ w, LABELS)))(W)
    trace = torch.einsum("ijij->", hessian).item()
    assert outputs["exact"] == pytest.approx(trace, rel=1e-10)
    assert outputs["exact/sem"] == 0
    assert abs(float(outputs["true"]) - trace) < 4 * float(outputs["true/sem"])
    assert outputs["true/sem"] < 0.05 * trace


def test_the_empirical_fisher_is_the_mean_square_of_each_examples_gradient():
    outputs = fisher(of_linear(FISHER.options()))
    jacobian = torch.func.jacrev(lambda w: cross_entropy(INPUTS @ w, LABELS, reduction="none"))(W)
    assert outputs["empirical"] == pytest.approx(jacobian.square().sum(dim=(1, 2)).mean().item(), rel=1e-10)
    assert outputs["empirical/sem"] == 0
    assert int(outputs["labels"]) == 20


@pytest.mark.parametrize("by", ["signs", "labels"])
def test_the_error_of_what_is_drawn_from_the_model_is_honest(by: str):
    values, errors = [], []
    for seed in range(150):
        outputs = fisher(of_linear(FISHER.options(draws=2, labels=10, exact=0, seed=seed, by=by)))
        assert "exact" not in outputs
        values.append(float(outputs["true"]))
        errors.append(float(outputs["true/sem"]))
    exact = float(fisher(of_linear(FISHER.options()))["exact"])
    assert abs(np.mean(values) - exact) < 4 * np.std(values) / 150**0.5
    assert 0.7 < np.mean(np.square(errors)) / np.var(values) < 1.4


def test_of_a_sure_model_signs_see_what_drawn_labels_miss():
    sure = W.double() * 12
    shown = toy_snapshot(weights={"W": sure}, losses={"train": LOSS})
    by = {by: fisher(replace(shown, options=FISHER.options(draws=20, by=by))) for by in ("signs", "labels")}
    assert abs(by["signs"]["true"] - by["signs"]["exact"]) < 4 * by["signs"]["true/sem"]
    assert by["signs"]["true/sem"] < 0.3 * by["signs"]["exact"]
    assert by["labels"]["true/sem"] > 2 * by["signs"]["true/sem"]


def of_toy(family: Any, options: Any) -> Snapshot:
    context = ModelContext(family, make_variant(family, {"values": 5, "width": 4}))
    assert context.task is not None
    return toy_snapshot(weights=context.task.initial_weights(), losses=losses_of(context, 10), options=options)


@pytest.mark.parametrize("family", [ToySequences(), ToyGated()], ids=lambda family: family.name)
def test_where_every_position_is_asked_it_is_the_trace_of_the_whole_gauss_newton_matrix(family: Any):
    snapshot = of_toy(family, FISHER.options(exact=10_000))
    loss = snapshot.losses["train"]
    labels = loss.examples.labels
    assert labels is not None
    weights = {role: w.double() for role, w in snapshot.weights.items()}
    logits = loss.seen(weights, loss.examples).logits[labels != -100]
    jacobian = torch.func.jacrev(lambda given: loss.seen(given, loss.examples).logits[labels != -100])(weights)
    flat = torch.cat([j.flatten(2) for j in jacobian.values()], dim=2)
    p = torch.softmax(logits, dim=-1)
    inner = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    trace = torch.einsum("ncd,nck,nkd->", flat, inner, flat).item() / len(p)
    outputs = fisher(snapshot)
    assert int(outputs["labels"]) == len(p)
    assert outputs["exact"] == pytest.approx(trace, rel=1e-9)
    slopes = torch.einsum("nc,ncd->nd", p - torch.eye(p.shape[1])[labels[labels != -100]], flat)
    assert outputs["empirical"] == pytest.approx(slopes.square().sum(dim=1).mean().item(), rel=1e-9)


def test_a_loss_without_cross_entropy_has_no_fisher_information():
    objective = Objective(terms=(Term(name="spread", value=lambda seen: seen.logits.var()),))
    with pytest.raises(DoesNotApply) as refused:
        fisher(of_linear(FISHER.options(), replace(LOSS, objective=objective)))
    assert refused.value.reason == (
        "its loss (spread) has no cross-entropy of logits, so no labels that a model is asked for"
    )


def gradients() -> np.ndarray:
    slopes = torch.func.jacrev(lambda w: -log_softmax(INPUTS @ w, dim=-1)[torch.arange(20), LABELS])(W)
    return slopes.flatten(1).numpy()


def test_the_noise_scale_is_the_trace_of_the_covariance_over_the_squared_slope():
    each = gradients()
    variance, mean = np.trace(np.cov(each.T)), each.mean(axis=0)
    outputs = noise(of_linear(NOISE.options()))
    assert outputs["variance"] == pytest.approx(variance, rel=1e-10)
    assert outputs["scale"] == pytest.approx(variance / (mean @ mean), rel=1e-10)
    assert outputs["scale/sem"] == 0
    endless = noise(of_linear(NOISE.options(population="distribution")))
    assert endless["slope"] == pytest.approx(mean @ mean - variance / 20, rel=1e-10)
    assert endless["scale/sem"] > 0
    assert int(endless["batch"]) == int(endless["examples"]) == 20


def test_of_a_part_of_the_training_set_only_the_rest_is_unknown():
    outputs = noise(of_linear(NOISE.options(entries=30)))
    assert int(outputs["examples"]) == 10
    assert outputs["scale/sem"] > 0
    assert int(outputs["batch"]) == 20


def test_an_example_of_two_labels_weighs_twice_and_one_without_any_has_no_say():
    snapshot = of_toy(ToySequences(), NOISE.options())
    loss = snapshot.losses["train"]
    labels = loss.examples.labels
    assert labels is not None
    fewer = labels.clone()
    fewer[0] = -100
    fewer[1, 2:] = -100
    asked = replace(loss, examples=replace(loss.examples, labels=fewer))
    outputs = noise(replace(snapshot, losses={"train": asked}))
    slope = asked.gradient(snapshot.weights, list(snapshot.weights))
    assert int(outputs["examples"]) == len(labels) - 1
    assert outputs["slope"] == pytest.approx(sum(float(g.square().sum()) for g in slope.values()), rel=1e-2)
    one = replace(loss, examples=loss.examples.part(0, 1))
    with pytest.raises(DoesNotApply, match="noise is between examples, and 1 of them has a loss"):
        noise(replace(snapshot, losses={"train": one}))
