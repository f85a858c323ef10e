"""The objective of least action: what is descended and recorded, on networks small enough to do by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import miscope_lal
from miscope.analysis.losses import losses_of
from miscope.bound import BoundVariant, open_bound
from miscope.family import Family, make_variant
from miscope.model_context import ModelContext
from miscope.testing import tables
from miscope_lal import routed_pass
from miscope_lal.jacobian_penalty import projections_at
from miscope_lal.mlp import MlpFamily
from miscope_lal.mlp_network import logits as mlp_logits
from miscope_lal.routed import RoutedFamily
from miscope_lal.routing_regularisers import regulariser
from miscope_lal.spectral_loss import spectral_loss
from miscope_lal.transformer import TransformerFamily

SMALL: dict[str, Any] = {"prime": 5, "hidden_dim": 8, "n_layers": 2}
REGULARISERS = ("entropy", "sparsity", "gini", "consistency")


def variant_of(place: Path, family: Family, **fields: Any) -> BoundVariant:
    given = {**SMALL, "train_fraction": 0.6, "steps": 4, "checkpoints": "every:2", **fields}
    return open_bound(place, tables(lal=miscope_lal)).variant(family.name, **given)


def trained(place: Path, family: Family, **fields: Any) -> BoundVariant:
    variant = variant_of(place, family, evaluate_every=1, **fields)
    for _ in variant.train(threads=1):
        pass
    return variant


def recorded(variant: BoundVariant, name: str) -> dict[int, float]:
    steps, values = variant.metric(name)
    return dict(zip(steps.tolist(), values.tolist(), strict=True))


def objective_of(family: Family, **fields: Any) -> Any:
    context = ModelContext(family, make_variant(family, SMALL, fields))
    assert context.task is not None
    return context.task.objective


@pytest.mark.parametrize("name", REGULARISERS)
def test_each_regulariser_of_routing_is_descended_and_recorded_without_its_coefficient(tmp_path: Path, name: str):
    variant = trained(tmp_path, RoutedFamily(), routing_regularizer=name, lambda_routing=0.3)
    task = variant.workspace.value.context(variant.value).task
    assert task is not None
    assert task.logits is None
    weights = variant.at(2).checkpoint.weights
    sites = [f"blocks.{layer}.routing.hook_weights" for layer in range(2)]
    for part, examples in (("train", task.train), ("test", task.test)):
        seen = routed_pass.run(weights, examples.inputs, [*sites, "logits"])
        by_layer = [float(regulariser(name)(seen[site][:, 0], examples.inputs)) for site in sites]
        expected = sum(by_layer) / 2
        loss = float(cross_entropy(seen["logits"][:, 0].double(), examples.labels))
        assert recorded(variant, f"{part}_routing_{name}")[2] == pytest.approx(expected, rel=1e-4, abs=1e-7)
        assert recorded(variant, f"{part}_loss")[2] == pytest.approx(loss, rel=1e-5)
        total = recorded(variant, f"{part}_total")[2]
        assert total == pytest.approx(loss + 0.3 * expected, rel=1e-5)


def test_without_penalties_the_loss_is_cross_entropy_alone_by_exact_algebra():
    for family, fields in ((MlpFamily(), {}), (RoutedFamily(), {"lambda_routing": 0}), (RoutedFamily(), NONE)):
        objective = objective_of(family, **fields)
        assert [term.name for term in objective.terms] == ["cross_entropy"]
        assert objective.sites == ("logits",)
        assert objective.additive


NONE = {"routing_regularizer": "none"}


def test_the_spectral_penalty_is_of_all_pairs_and_there_at_every_kth_step(tmp_path: Path):
    variant = trained(tmp_path, MlpFamily(), lambda_spectral=0.5, spectral_interval=2)
    for part in ("train", "test"):
        assert list(recorded(variant, f"{part}_spectral")) == [0, 2, 4]
    questions = variant.workspace.value.context(variant.value).probe().inputs
    answers = mlp_logits(variant.at(2).checkpoint.weights, questions).double().view(5, 5, 5)
    expected = float(spectral_loss(answers, cutoff=1))
    assert recorded(variant, "train_spectral")[2] == pytest.approx(expected, rel=1e-5)
    assert recorded(variant, "test_spectral")[2] == pytest.approx(expected, rel=1e-5)
    gap = recorded(variant, "train_total")[2] - recorded(variant, "train_loss")[2]
    assert gap == pytest.approx(0.5 * expected, rel=1e-5)
    assert recorded(variant, "train_total")[3] == recorded(variant, "train_loss")[3]


def test_its_mean_strength_can_be_kept_whatever_the_interval():
    terms = {term.name: term for term in objective_of(MlpFamily(), lambda_spectral=0.5, spectral_interval=4).terms}
    kept = objective_of(MlpFamily(), lambda_spectral=0.5, spectral_interval=4, spectral_keep_mean=True)
    assert [terms["spectral"].coefficient(step) for step in range(5)] == [0.5, 0, 0, 0, 0.5]
    assert sum(kept.terms[1].coefficient(step) for step in range(8)) / 8 == 0.5


def test_division_has_a_grid_of_its_own_shape(tmp_path: Path):
    variant = trained(tmp_path, MlpFamily(), operation="divide", lambda_spectral=0.5, spectral_interval=1)
    questions = variant.workspace.value.context(variant.value).probe().inputs
    answers = mlp_logits(variant.at(4).checkpoint.weights, questions).double().view(5, 4, 5)
    expected = float(spectral_loss(answers, cutoff=1))
    assert recorded(variant, "train_spectral")[4] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("family", [MlpFamily(), RoutedFamily()], ids=["mlp", "routed"])
def test_the_jacobian_penalty_is_by_projections_of_the_step(tmp_path: Path, family: Family):
    fields = {} if family.name == "lal.mlp" else NONE
    variant = trained(tmp_path, family, lambda_jacobian=0.01, seed=8, **fields)
    context = variant.workspace.value.context(variant.value)
    assert context.task is not None
    weights, train = variant.at(2).checkpoint.weights, context.task.train
    assert context.task.logits is not None
    algebra = context.task.logits
    full = torch.func.vmap(torch.func.jacrev(lambda x: algebra(weights, x[None])[0]))(train.inputs)
    drawn = torch.randn(len(train), 5, generator=projections_at(8, 2))
    unit = drawn / drawn.norm(dim=1, keepdim=True)
    expected = 5 * float(torch.einsum("nc,nci->ni", unit, full).square().sum(1).mean())
    assert recorded(variant, "train_jacobian")[2] == pytest.approx(expected, rel=1e-4)


def test_every_penalty_together_is_descended_by_exact_gradients_and_resumes_bit_for_bit(tmp_path: Path):
    fields = {
        "lambda_routing": 0.1, "routing_regularizer": "consistency", "lambda_spectral": 0.2, "spectral_interval": 2,
        "spectral_exclude_constant": True, "lambda_jacobian": 0.01,
    }  # fmt: skip
    whole, parts = (trained(tmp_path / n, RoutedFamily(), **fields, steps=s) for n, s in (("a", 4), ("b", 2)))
    parts = variant_of(tmp_path / "b", RoutedFamily(), **fields, evaluate_every=1)
    list(parts.train(threads=1, steps=4, resume=True))
    for role, weight in whole.at(4).checkpoint.weights.items():
        assert torch.equal(weight, parts.at(4).checkpoint.weights[role]), role
    assert recorded(whole, "train_total") == recorded(parts, "train_total")
    exact_slopes(whole)


def exact_slopes(variant: BoundVariant) -> None:
    """Of some weights, against a difference of the whole objective."""
    loss = losses_of(variant.workspace.value.context(variant.value), 2)["train"]
    weights = {role: weight.double() for role, weight in variant.at(2).checkpoint.weights.items()}
    gradients = loss.gradient(weights, list(weights))
    for role, at in (("W_E.a", (1, 2)), ("blocks.0.routing.W_gate", (3, 1)), ("blocks.1.mlp.W_in", (4, 70))):
        moved = [weights | {role: weights[role].clone()} for _ in range(2)]
        for sign, one in zip((1, -1), moved, strict=True):
            one[role][at] += sign * 1e-5
        slope = (loss(moved[0])["total"] - loss(moved[1])["total"]) / 2e-5
        assert float(gradients[role][at]) == pytest.approx(slope, rel=1e-5, abs=1e-9), role


def test_what_is_no_mean_over_examples_is_taken_in_one_piece():
    for fields in ({"lambda_spectral": 1}, {"lambda_jacobian": 1}, {"routing_regularizer": "consistency"}):
        assert not objective_of(RoutedFamily(), **fields).additive
    assert objective_of(RoutedFamily(), routing_regularizer="gini").additive


def test_the_jacobian_of_tokens_is_by_their_embedding_and_has_a_slope_in_it():
    family, small = TransformerFamily(), {"prime": 3, "hidden_dim": 4, "n_heads": 1, "n_layers": 1}
    context = ModelContext(family, make_variant(family, small, {"lambda_jacobian": 0.1}))
    assert context.task is not None
    loss = losses_of(context, 0)["train"]
    weights = {role: 10 * weight.double() for role, weight in context.task.initial_weights().items()}
    inputs = context.task.train.inputs

    def answers(shift: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        hooks = [("hook_embed", lambda embedding: embedding + shift)]
        return context.model.run(weights, tokens[None], ["logits"], hooks=hooks)["logits"][0, -1]

    rows = [torch.autograd.functional.jacobian(partial(answers, tokens=t), torch.zeros(4, 4).double()) for t in inputs]
    full = torch.stack(rows).flatten(2)
    drawn = torch.randn(len(inputs), 3, generator=projections_at(small.get("seed", 42), 0)).double()
    unit = drawn / drawn.norm(dim=1, keepdim=True)
    expected = 3 * float(torch.einsum("nc,nci->ni", unit, full).square().sum(1).mean())
    assert loss(weights)["jacobian"] == pytest.approx(expected, rel=1e-6)
    slope, moved = loss.gradient(weights, ["W_E"])["W_E"], []
    for sign in (1, -1):
        moved.append(weights | {"W_E": weights["W_E"].clone()})
        moved[-1]["W_E"][1, 2] += sign * 1e-5
    difference = (loss(moved[0])["total"] - loss(moved[1])["total"]) / 2e-5
    assert float(slope[1, 2]) == pytest.approx(difference, rel=1e-4)


def test_two_operations_are_two_grids_of_one_penalty(tmp_path: Path):
    variant = trained(
        tmp_path, TransformerFamily(), operation="both", n_heads=2, lambda_spectral=0.5, spectral_interval=1
    )
    context = variant.workspace.value.context(variant.value)
    weights, questions = variant.at(2).checkpoint.weights, context.probe().inputs
    answers = context.model.answers(weights, questions, ["logits"])["logits"].double().view(2, 5, 5, 5)
    expected = sum(float(spectral_loss(grid, cutoff=1)) for grid in answers) / 2
    assert recorded(variant, "train_spectral")[2] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["none", *REGULARISERS])
def test_five_hundred_epochs_with_each_regulariser_stay_finite(tmp_path: Path, name: str):
    fields = {"routing_regularizer": name, "lambda_routing": 0.1, "steps": 500, "checkpoints": "every:500"}
    variant = variant_of(tmp_path, RoutedFamily(), **fields, evaluate_every=100)
    list(variant.train(threads=1, watch=["routing.statistics:250"]))
    series = variant.metrics()
    assert {"train_loss", "test_accuracy", "routing.statistics/entropy", "routing.statistics/use/3"} <= set(series)
    for metric, each in series.items():
        assert np.isfinite(each.values).all(), metric


def test_watching_routing_leaves_every_weight_as_it_is(tmp_path: Path):
    plain = trained(tmp_path / "a", RoutedFamily())
    watched = variant_of(tmp_path / "b", RoutedFamily(), evaluate_every=1)
    list(watched.train(threads=1, watch=["routing.statistics:1", "routing.paths:2"]))
    for role, weight in plain.at(4).checkpoint.weights.items():
        assert torch.equal(weight, watched.at(4).checkpoint.weights[role]), role
    assert recorded(watched, "routing.statistics/entropy")[0] == pytest.approx(np.log(4), rel=1e-2)
