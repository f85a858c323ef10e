"""The exact algebra against the hooked network: values, gradients, sites, channels."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from miscope.model import cast
from miscope.shortcut_model import ShortcutModel
from miscope.testing import roundings
from miscope_modadd import tables
from miscope_modadd.network import Architecture, build_model, table_logits
from miscope_modadd.pairs import pairs

PRIME = 13

APART = 200
"""Roundings between two ways to one result: sums of up to 512 terms, one on top of another, in another order."""

Weights = dict[str, Tensor]


@pytest.fixture(scope="module", params=[False, True], ids=["no biases", "biases"])
def network(request: pytest.FixtureRequest) -> ShortcutModel:
    biases = request.param
    return build_model(Architecture(prime=PRIME, vocabulary_out=PRIME + biases, mlp_biases=biases))


@pytest.fixture
def weights(network: ShortcutModel) -> Weights:
    """Large enough that attention is far from uniform."""
    generator = torch.Generator().manual_seed(3)
    return {name: 0.25 * torch.randn(role.shape, generator=generator) for name, role in network.roles.items()}


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    order = torch.randperm(PRIME**2, generator=torch.Generator().manual_seed(0))
    return pairs(PRIME, equals=True)[order[:120]]


def gradients(logits: Callable[[Weights], Tensor], weights: Weights, labels: Tensor) -> Weights:
    leaves = {name: w.clone().requires_grad_() for name, w in weights.items()}
    loss = torch.nn.functional.cross_entropy(logits(leaves).double(), labels)
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_site_equals_the_hooked_networks(network, weights, inputs, dtype) -> None:
    given = cast(weights, dtype)
    with torch.no_grad():
        fast = network.answers(given, inputs, tables.SITES)
        slow = network.hooked.answers(given, inputs, tables.SITES)
    for site in tables.SITES:
        assert fast[site].shape == slow[site].shape, site
        assert fast[site].dtype == dtype, site
        assert roundings(fast[site], slow[site]) < APART, site


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_equal_the_hooked_networks(network, weights, inputs, dtype) -> None:
    given, labels = cast(weights, dtype), inputs[:, :2].sum(1) % PRIME
    fast = gradients(lambda w: tables.logits(w, inputs), given, labels)
    slow = gradients(lambda w: network.hooked.answers(w, inputs, ["logits"])["logits"], given, labels)
    for name, gradient in slow.items():
        assert roundings(fast[name], gradient) < 10 * APART, name


def test_the_handwritten_backward_pass_is_the_derivative(weights, inputs) -> None:
    leaves = [w.double().requires_grad_() for w in weights.values()]

    def some_logits(*values: Tensor) -> Tensor:
        return tables.logits(dict(zip(weights, values, strict=True)), inputs[:3])[:, :2]

    assert torch.autograd.gradcheck(some_logits, leaves, fast_mode=True)


def test_gradients_reach_the_weights_through_recorded_sites(network, weights, inputs) -> None:
    def through(run) -> Weights:
        leaves = {name: w.double().requires_grad_() for name, w in weights.items()}
        activations = run(leaves, inputs, [tables.PRE, tables.PATTERN, tables.Z])
        loss = sum((value**2).sum() for value in activations.values())
        used = [name for name in leaves if name not in ("W_U", "blocks.0.mlp.W_out", "blocks.0.mlp.b_out")]
        return dict(zip(used, torch.autograd.grad(loss, [leaves[name] for name in used]), strict=True))

    fast, slow = through(network.answers), through(network.hooked.answers)
    for name, gradient in slow.items():
        assert roundings(fast[name], gradient) < 10 * APART, name


@pytest.mark.parametrize("site", sorted(tables.SITES - {"logits"}))
def test_channels_are_entries_of_the_last_axis(network, weights, inputs, site) -> None:
    with torch.no_grad():
        whole = network.answers(weights, inputs, [site])[site]
        part = network.answers(weights, inputs, [site], channels=[2, 0])[site]
    assert roundings(part, whole[..., [2, 0]]) < APART


def test_logits_are_whole_whatever_the_channels(network, weights, inputs) -> None:
    with torch.no_grad():
        activations = network.answers(weights, inputs, ["logits", tables.POST], channels=[1])
    assert activations["logits"].shape == (len(inputs), network.roles["W_U"].shape[1])
    assert activations[tables.POST].shape == (len(inputs), 1)


def test_many_rows_give_what_few_rows_give(network, weights) -> None:
    inputs = pairs(PRIME, equals=True).repeat(30, 1)
    with torch.no_grad():
        rows = tables.logits(weights, inputs)
    assert len(inputs) > 2 * tables._ROWS
    assert roundings(rows[: PRIME**2], rows[-(PRIME**2) :]) < APART


def test_inputs_of_another_form_go_through_the_network(network, weights) -> None:
    other = torch.tensor([[1, PRIME, 2], [3, 4, 5]])
    assert not tables.answerable(other, PRIME)
    with torch.no_grad():
        logits = network.answers(weights, other, ["logits"])["logits"]
        hooked = network.hooked.answers(weights, other, ["logits"])["logits"]
        assert roundings(logits, hooked) < APART
        assert roundings(logits, table_logits(network, PRIME, weights, other)) < APART


def test_the_form_the_tables_are_for() -> None:
    assert tables.answerable(torch.tensor([[0, 12, PRIME]]), PRIME)
    for wrong in ([[0, PRIME, PRIME]], [[0, 1, 2]], [[-1, 1, PRIME]], [[0, 1]]):
        assert not tables.answerable(torch.tensor(wrong), PRIME)


def test_second_derivatives_of_the_tables_are_the_networks(network, weights, inputs) -> None:
    along = {
        name: torch.randn(w.shape, generator=torch.Generator().manual_seed(5)).double() for name, w in weights.items()
    }

    def turned(logits: Callable[[Weights], Tensor]) -> Weights:
        leaves = {name: w.double().requires_grad_() for name, w in weights.items()}
        loss = torch.nn.functional.cross_entropy(logits(leaves), inputs[:, :2].sum(1) % PRIME)
        slopes = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
        slope = sum((g * along[name]).sum() for name, g in zip(leaves, slopes, strict=True))
        return dict(zip(leaves, torch.autograd.grad(slope, list(leaves.values())), strict=True))

    fast = turned(lambda leaves: table_logits(network, PRIME, leaves, inputs))
    slow = turned(lambda leaves: network.run(leaves, inputs, ["logits"])["logits"][:, -1])
    for name, product in fast.items():
        assert float(slow[name].abs().max()) > 0, name
        assert roundings(product, slow[name]) < 100 * APART, name
