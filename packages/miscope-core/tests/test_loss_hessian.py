"""Products with the Hessian of the loss against matrices laid out whole, for every kind of objective and of network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from miscope.analysis.losses import losses_of
from miscope.cross_entropy import classification
from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.family import Family, make_variant
from miscope.loss_function import LossFunction
from miscope.loss_hessian import LossHessian
from miscope.model_context import ModelContext
from miscope.objective import Objective, Term
from miscope.testing.toy_gated import ToyGated
from miscope.testing.toy_sequences import ToySequences
from miscope.testing.toy_tables import ToyTables

STEP = 10
"""At which every term of the gated toy has weight."""


def of_family(family: Family) -> tuple[LossFunction, Mapping[str, Tensor]]:
    context = ModelContext(family, make_variant(family, {"values": 5, "width": 4}))
    assert context.task is not None
    return losses_of(context, STEP)["train"], context.task.initial_weights()


def dense(loss: LossFunction, weights: Mapping[str, Tensor]) -> Tensor:
    """(D, D) laid out by PyTorch's own function."""
    exact = {role: w.double() for role, w in weights.items()}
    sizes = [w.numel() for w in exact.values()]

    def total(vector: Tensor) -> Tensor:
        parts = zip(exact.items(), vector.split(sizes), strict=True)
        return loss.total({role: part.view_as(w) for (role, w), part in parts}, loss.examples)

    return torch.autograd.functional.hessian(total, torch.cat([w.flatten() for w in exact.values()]))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("family", [ToyTables(), ToyGated(), ToySequences()], ids=lambda family: family.name)
def test_a_product_with_every_unit_vector_lays_out_the_whole_hessian(family: Family) -> None:
    loss, weights = of_family(family)
    with torch.no_grad():  # as instruments are run
        hessian = LossHessian(loss, weights)
        whole = hessian.products(torch.eye(hessian.size, dtype=torch.float64))
    assert float(whole.abs().max()) > 1e-3
    torch.testing.assert_close(whole, dense(loss, weights), rtol=1e-9, atol=1e-12)
    assert float((whole - whole.T).abs().max()) < 1e-12
    gradient = torch.cat([slope.flatten() for slope in loss.gradient(weights, list(weights)).values()])
    torch.testing.assert_close(hessian.gradient(), gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("family", [ToyGated(), ToySequences()], ids=lambda family: family.name)
def test_products_in_batches_and_of_named_weights_are_parts_of_the_whole(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, weights = of_family(family)
    whole = LossHessian(loss, weights)
    directions = torch.randn(3, whole.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = whole.products(directions)
    parts = [loss.examples.part(start, start + 4) for start in range(0, len(loss.examples), 4)]
    monkeypatch.setattr("miscope.loss_hessian.batches", lambda objective, examples: iter(parts))
    torch.testing.assert_close(LossHessian(loss, weights).products(directions), expected, rtol=1e-9, atol=1e-13)
    block = LossHessian(loss, weights, ["W_U"])
    place = whole.places["W_U"]
    inside = torch.zeros_like(directions)
    inside[:, place] = directions[:, place]
    torch.testing.assert_close(
        block.products(directions[:, place]), whole.products(inside)[:, place], rtol=1e-9, atol=1e-13
    )


class Cubed(Function):
    """Once differentiable, as many a fast kernel is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * grad


INPUTS, LABELS = torch.tensor([[0], [1], [2], [1]]), torch.tensor([0, 1, 1, 0])
WEIGHTS = {"W": torch.tensor([[0.3, -0.5], [0.8, 0.2], [-0.7, 0.4]])}


def loss_of_logits(logits: Any, **fields: Any) -> LossFunction:
    run = lambda weights, inputs: {"logits": logits(weights["W"][inputs[:, 0]])}  # noqa: E731
    examples = Examples(inputs=INPUTS, labels=LABELS)
    return LossFunction(objective=classification(), run=run, examples=examples, step=0, **fields)


def test_a_shortcut_that_can_be_differentiated_once_gives_way_to_the_network_itself() -> None:
    plain = loss_of_logits(lambda x: x**3)
    short = loss_of_logits(Cubed.apply, network=plain.run)
    eye = torch.eye(6, dtype=torch.float64)
    torch.testing.assert_close(LossHessian(short, WEIGHTS).products(eye), dense(plain, WEIGHTS))


def test_a_network_that_can_be_differentiated_once_is_refused_and_not_taken_for_flat() -> None:
    with pytest.raises(DoesNotApply) as refused:
        LossHessian(loss_of_logits(Cubed.apply), WEIGHTS)
    assert refused.value.reason == (
        "its loss cannot be differentiated twice: an operation of it is marked once_differentiable"
    )
    linear = Objective(terms=(Term(name="mean", value=lambda seen: seen.logits.mean()),))
    with pytest.raises(DoesNotApply, match="marked once_differentiable"):
        LossHessian(replace(loss_of_logits(Cubed.apply), objective=linear), WEIGHTS)


def test_a_kernel_without_a_second_derivative_is_refused_with_pytorchs_own_words() -> None:
    def bags(rows: Tensor) -> Tensor:
        places = torch.arange(len(rows))[:, None]
        return nn.functional.embedding_bag(places, rows, per_sample_weights=rows[:, :1].contiguous(), mode="sum")

    with pytest.raises(DoesNotApply) as refused:
        LossHessian(loss_of_logits(bags), WEIGHTS)
    assert "twice: derivative for aten::_embedding_bag_per_sample_weights_backward is not" in refused.value.reason


def test_an_error_of_the_network_is_no_want_of_a_second_derivative() -> None:
    with pytest.raises(RuntimeError, match="must match"):
        LossHessian(loss_of_logits(lambda rows: rows + torch.ones(7)), WEIGHTS)


def test_a_loss_that_is_linear_in_the_weights_does_not_curve() -> None:
    objective = Objective(terms=(Term(name="mean", value=lambda seen: seen.logits.mean()),))
    loss = replace(loss_of_logits(lambda rows: rows), objective=objective)
    assert not LossHessian(loss, WEIGHTS).products(torch.ones(2, 6, dtype=torch.float64)).any()


def test_attention_that_is_fused_elsewhere_is_differentiated_twice() -> None:
    def attended(rows: Tensor) -> Tensor:
        tokens = rows.view(2, 2, 2)
        return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens, is_causal=True).reshape(4, 2)

    loss = loss_of_logits(lambda rows: attended(rows) if len(rows) == 4 else rows)
    whole = LossHessian(replace(loss, objective=replace(loss.objective, additive=False)), WEIGHTS)
    step = 1e-5
    eye = torch.eye(6, dtype=torch.float64)
    slopes = [
        [loss.gradient({"W": WEIGHTS["W"] + sign * step * unit.view(3, 2)}, ["W"])["W"].flatten() for sign in (1, -1)]
        for unit in eye
    ]
    numeric = torch.stack([(up - down) / (2 * step) for up, down in slopes])
    torch.testing.assert_close(whole.products(eye), numeric, rtol=1e-6, atol=1e-8)
