"""Regularisers of routing weights: their values where these are known, and their slopes."""

from __future__ import annotations

import math

import pytest
import torch

from miscope.errors import BadValue
from miscope_lal.routing_regularisers import consistency, entropy, gini, regulariser, sparsity

HEADS = (1, 2, 4, 7)
PAIRS = torch.tensor([[1.0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])


def uniform(n: int) -> torch.Tensor:
    return torch.full((3, n), 1 / n)


def one_hot(n: int) -> torch.Tensor:
    return torch.eye(n).repeat(2, 1)


def some_weights(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64).softmax(-1)


@pytest.mark.parametrize("n", HEADS)
def test_entropy_falls_from_ln_n_to_nothing(n):
    assert float(entropy(uniform(n))) == pytest.approx(math.log(n), abs=1e-6)
    assert float(entropy(one_hot(n))) == pytest.approx(0, abs=2e-6)


@pytest.mark.parametrize("n", HEADS)
def test_sparsity_falls_from_the_share_of_the_other_heads_to_nothing(n):
    assert float(sparsity(uniform(n))) == pytest.approx((n - 1) / n, abs=1e-6)
    assert float(sparsity(one_hot(n))) == 0


@pytest.mark.parametrize("n", HEADS)
def test_plain_gini_falls_from_1_to_1_over_n_and_the_normalised_one_to_nothing(n):
    assert float(gini(uniform(n))) == pytest.approx(1, abs=1e-6)
    assert float(gini(one_hot(n))) == pytest.approx(1 / n, abs=1e-6)
    assert float(gini(uniform(n), normalised=True)) == pytest.approx(1 if n > 1 else 0, abs=1e-6)
    assert float(gini(one_hot(n), normalised=True)) == pytest.approx(0, abs=1e-6)


def test_gini_is_the_mean_difference_between_two_entries_over_twice_their_mean():
    row = torch.tensor([[0.1, 0.6, 0.3]], dtype=torch.float64)
    differences = (row[0][:, None] - row[0]).abs().mean() / (2 * row.mean())
    assert float(gini(row)) == pytest.approx(1 - float(differences), abs=1e-8)


def test_consistency_is_nothing_where_all_inputs_are_routed_alike():
    inputs = torch.eye(6)
    assert float(consistency(some_weights(1, 4).expand(6, 4), inputs)) == pytest.approx(0, abs=1e-12)
    assert float(consistency(some_weights(6, 4), inputs)) > 0.01


def test_consistency_by_hand_of_two_inputs():
    w = torch.tensor([[0.9, 0.1], [0.4, 0.6]], dtype=torch.float64)
    pairs = torch.tensor([[1.0, 0, 1, 0], [1.0, 0, 0, 1]], dtype=torch.float64)
    own = math.exp(1) / (math.exp(1) + math.exp(0.5))
    near = torch.tensor([[own, 1 - own], [1 - own, own]], dtype=torch.float64) @ w
    expected = (near * (near.log() - w.log())).sum() / 2
    assert float(consistency(w, pairs)) == pytest.approx(float(expected), rel=1e-12)


def test_one_hot_routing_of_unlike_inputs_costs_what_the_least_logarithm_allows_and_has_a_slope():
    w = one_hot(2).double()[:2].requires_grad_()
    own = math.exp(1) / (1 + math.exp(1))
    cost = consistency(w, torch.eye(2, dtype=torch.float64))
    expected = own * math.log(own) + (1 - own) * (math.log(1 - own) + 100)
    assert float(cost.detach()) == pytest.approx(expected, rel=1e-12)
    (slope,) = torch.autograd.grad(cost, w)
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize(
    "regulariser",
    [entropy, sparsity, gini, lambda w: gini(w, normalised=True), lambda w: consistency(w, PAIRS)],
    ids=["entropy", "sparsity", "gini", "normalised gini", "consistency"],
)
def test_each_has_exact_slopes(regulariser):
    logits = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: regulariser(z.softmax(-1)), (logits,))


@pytest.mark.parametrize("regulariser", [entropy, sparsity, gini])
def test_every_position_counts_alike(regulariser):
    w = some_weights(6, 2, 4)
    assert float(regulariser(w)) == pytest.approx(float(regulariser(w.flatten(0, 1))), rel=1e-12)


def test_an_unknown_name_is_refused():
    with pytest.raises(BadValue) as refused:
        regulariser("balance")
    assert str(refused.value) == (
        "There is no routing regulariser 'balance'.\n"
        "There are: entropy, sparsity, gini, consistency.\n"
        "Name one of these, or 'none'."
    )


def test_a_name_stands_for_its_function():
    w = some_weights(5, 3)
    assert float(regulariser("gini", gini_normalised=True)(w, PAIRS)) == float(gini(w, normalised=True))
    assert float(regulariser("consistency")(w, PAIRS)) == float(consistency(w, PAIRS))
