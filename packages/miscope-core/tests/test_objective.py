"""Objectives over named activations: each kind of family is trained as it would be by hand, and resumed exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from miscope import ForwardPass, Objective, Term
from miscope.analysis.losses import losses_of
from miscope.bound import BoundVariant, open_bound
from miscope.errors import BadValue
from miscope.examples import Examples
from miscope.family import Family, make_variant
from miscope.loss_function import LossFunction, batches, loss_of
from miscope.model_context import ModelContext
from miscope.testing import check_family, tables
from miscope.testing.toy_gated import EMBED, GATE, SPARSE_EVERY, ToyGated
from miscope.testing.toy_sequences import ToySequences
from miscope.testing.toy_tables import ToyTables

FAMILIES: tuple[Family, ...] = (ToyTables(), ToyGated(), ToySequences())


def context(family: Family) -> ModelContext:
    return ModelContext(family, make_variant(family, {}))


def trained(tmp_path: Any, family: Family, **fields: Any) -> BoundVariant:
    variant = open_bound(tmp_path, tables(family)).variant(family.name, **fields)
    for _ in variant.train(threads=1):
        pass
    return variant


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_of_these_toy_families_keeps_the_contract(family: Family) -> None:
    check_family(family)


def by_hand(variant: BoundVariant, step: int, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Terms of the gated toy's loss on all its training examples, written out with the network's own algebra."""
    train = variant.workspace.value.context(variant.value).task.train  # pyright: ignore[reportOptionalMemberAccess]
    embed = weights["W_E"][train.inputs].sum(1)
    gate = torch.sigmoid(embed @ weights["blocks.0.mlp.W_gate"])
    post = torch.tanh(embed @ weights["blocks.0.mlp.W_in"]) * gate
    logits = (embed + post @ weights["blocks.0.mlp.W_out"]) @ weights["W_U"]
    labels = train.labels[:, 0]  # pyright: ignore[reportOptionalSubscript]
    (slope,) = torch.autograd.grad(logits.gather(1, labels[:, None]).sum(), embed, create_graph=True)
    terms = {
        "cross_entropy": cross_entropy(logits, labels),
        "sparsity": gate.mean(),
        "jacobian": slope.square().sum(1).mean(),
    }
    weighed = {"cross_entropy": 1, "sparsity": 0 if step % SPARSE_EVERY else 0.3, "jacobian": 0.02 * min(step, 10) / 10}
    return terms | {"total": sum((weighed[name] * value for name, value in terms.items()), torch.zeros(()))}


def test_terms_of_a_hidden_site_and_of_second_derivatives_are_descended_and_recorded(tmp_path: Any) -> None:
    variant = trained(tmp_path, ToyGated(), steps=12, checkpoints="every:1", weight_decay=0.0, optimizer="sgd")
    for step in (0, 3, 10, 11):
        weights = {r: w.double().requires_grad_() for r, w in variant.at(step).checkpoint.weights.items()}
        terms = by_hand(variant, step, weights)
        recorded = {name: dict(zip(*each, strict=True)) for name, each in series(variant).items()}
        assert recorded["train_loss"][step] == pytest.approx(terms["cross_entropy"].item(), rel=1e-5)
        assert recorded["train_total"][step] == pytest.approx(terms["total"].item(), rel=1e-5)
        if step % SPARSE_EVERY == 0:
            assert recorded["train_sparsity"][step] == pytest.approx(terms["sparsity"].item(), rel=1e-5)
        terms["total"].backward()
        moved = variant.at(step + 1).checkpoint.weights if step < 12 else {}
        for role, after in moved.items():
            w = weights[role]
            assert w.grad is not None
            expected = (w - 1e-2 * w.grad).detach().float()
            torch.testing.assert_close(after, expected, rtol=1e-5, atol=1e-7)


def series(variant: BoundVariant) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (each.steps.tolist(), each.values.tolist()) for name, each in variant.metrics().items()}


def test_a_term_is_recorded_where_it_is_active_and_nowhere_else(tmp_path: Any) -> None:
    recorded = series(trained(tmp_path, ToyGated(), steps=12))
    assert recorded["train_sparsity"][0] == recorded["test_sparsity"][0] == [0, 5, 10]
    assert recorded["train_jacobian"][0] == list(range(1, 13))
    assert recorded["train_total"][0] == recorded["train_loss"][0] == list(range(13))


def test_the_gradient_and_the_loss_of_an_instrument_are_those_of_training(tmp_path: Any) -> None:
    variant = trained(tmp_path, ToyGated(), steps=10)
    checkpoint = variant.at(10).checkpoint
    weights = {role: w.double().requires_grad_() for role, w in checkpoint.weights.items()}
    terms = by_hand(variant, 10, weights)
    terms["total"].backward()
    loss = losses_of(variant.workspace.value.context(variant.value), 10)["train"]
    assert loss(checkpoint.weights)["total"] == pytest.approx(terms["total"].item(), rel=1e-12)
    for roles in (list(weights), ["W_U"]):
        gradients = loss.gradient(checkpoint.weights, roles)
        assert list(gradients) == roles
        for role, gradient in gradients.items():
            expected = weights[role].grad
            assert expected is not None
            torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)


def test_next_tokens_are_asked_at_every_position_that_counts(tmp_path: Any) -> None:
    variant = trained(tmp_path, ToySequences(), steps=4, batch_size=None, checkpoints="every:4")
    place = variant.workspace.value.context(variant.value)
    assert place.task is not None
    train = place.task.train
    assert train.labels is not None
    asked = train.labels != -100
    assert asked[:, 1:].all()
    assert not asked[:, 0].any()
    weights = variant.at(4).checkpoint.weights
    logits = place.model.run(weights, train.inputs, ["logits"])["logits"].double()
    expected = float(cross_entropy(logits[asked], train.labels[asked]))
    assert series(variant)["train_loss"][1][4] == pytest.approx(expected, rel=1e-6)


def test_a_table_of_exact_logits_trains_the_same_weights_as_the_hooked_model(tmp_path: Any) -> None:
    class Slow(ToyTables.__mro__[1]):  # type: ignore[misc, name-defined]
        name, title, step_label = "toy.slow", "Toy without tables", "epoch"

        def bases(self, params: Any) -> dict[str, Any]:
            return {}

    quick, slow = trained(tmp_path / "a", ToyTables()), trained(tmp_path / "b", Slow())
    for role, w in quick.at(30).checkpoint.weights.items():
        torch.testing.assert_close(w, slow.at(30).checkpoint.weights[role], rtol=1e-4, atol=1e-4)


def additive_loss(family: Family, entries: int) -> tuple[LossFunction, list[Examples]]:
    loss = losses_of(context(family), 10)["train"]
    return loss, list(batches(loss.objective, loss.examples, entries=entries))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_loss_and_its_gradient_in_batches_are_those_in_one_piece(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, parts = additive_loss(family, entries=16)
    assert len(parts) > 1
    assert sum(map(len, parts)) == len(loss.examples)
    task = context(family).task
    assert task is not None
    weights = task.initial_weights()
    whole, slope = loss(weights), loss.gradient(weights, ["W_U"])["W_U"]
    monkeypatch.setattr("miscope.loss_function.batches", lambda objective, examples: iter(parts))
    assert loss(weights) == pytest.approx(whole, rel=1e-12)
    torch.testing.assert_close(loss.gradient(weights, ["W_U"])["W_U"], slope, rtol=1e-11, atol=1e-14)


def test_a_loss_that_is_no_mean_over_parts_is_taken_in_one_piece() -> None:
    objective = Objective(terms=(Term(name="spread", value=lambda seen: seen.logits.var()),), additive=False)
    examples = Examples(inputs=torch.zeros(9, 4))
    assert [len(part) for part in batches(objective, examples, entries=8)] == [9]
    assert [len(part) for part in batches(replace(objective, additive=True), examples, entries=8)] == [2, 2, 2, 2, 1]


def test_the_examples_of_a_sample_do_not_depend_on_the_order_in_which_they_are_listed() -> None:
    loss = losses_of(context(ToySequences()), 0)["train"]
    turned = replace(loss, examples=loss.examples.rows(torch.arange(len(loss.examples)).flip(0)))
    one, other = loss.sample(30, seed=3).examples, turned.sample(30, seed=3).examples
    assert len(one) == 5
    assert torch.equal(one.inputs, other.inputs)
    assert one.labels is not None
    assert other.labels is not None
    assert torch.equal(one.labels, other.labels)
    assert loss.sample(None, 0) is loss


def test_a_step_at_which_no_term_is_active_is_refused() -> None:
    objective = Objective(terms=(Term(name="never", value=lambda seen: seen.logits.mean(), coefficient=lambda s: 0.0),))
    seen = ForwardPass(
        examples=Examples(inputs=torch.zeros(1)), activations={"logits": torch.zeros(1)}, weights={}, step=7
    )
    with pytest.raises(BadValue) as refused:
        loss_of(objective, seen)
    assert str(refused.value) == (
        "At step 7 the objective has no term to descend.\n"
        "The coefficient of each is 0 there: never.\n"
        "Give one of them a coefficient that is never 0."
    )


def test_a_gates_activation_reaches_its_term_under_its_own_name() -> None:
    place = context(ToyGated())
    assert place.task is not None
    assert set(place.task.objective.sites) == {"logits", EMBED, GATE}
    assert GATE in place.model.sites
