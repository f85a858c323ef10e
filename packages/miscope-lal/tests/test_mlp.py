"""The multilayer perceptron."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from miscope import HookedModel
from miscope.bound import open_bound
from miscope.family import make_variant
from miscope.optimizers import parameter_groups
from miscope.testing import check_family, roundings, tables
from miscope_lal.mlp import MlpFamily
from miscope_lal.mlp_network import logits

FAMILY = MlpFamily()


def as_torch(prime: int, width: int, layers: int) -> nn.Module:
    """The network as one writes it, freshly drawn from seed 4."""
    torch.manual_seed(4)
    sizes = [2 * prime, *[width] * layers]
    hidden = [module for inputs, outputs in pairwise(sizes) for module in (nn.Linear(inputs, outputs), nn.GELU())]
    return nn.Sequential(*hidden, nn.Linear(width, prime))


def first_weights(**params: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    variant = make_variant(FAMILY, params)
    task = FAMILY.task(variant)
    return task, task.initial_weights()


def test_it_keeps_the_contract_of_a_family() -> None:
    check_family(FAMILY, {"prime": 7, "n_layers": 3, "hidden_dim": 16})


@pytest.mark.parametrize(
    ("prime", "layers", "count"), [(17, 2, 23_185), (17, 4, 56_209), (113, 2, 60_145), (113, 4, 93_169)]
)
def test_it_has_as_many_weights_as_the_original(prime: int, layers: int, count: int) -> None:
    model = FAMILY.model(FAMILY.params(prime=prime, n_layers=layers))
    assert sum(torch.Size(role.shape).numel() for role in model.roles.values()) == count


@pytest.mark.parametrize("layers", [1, 3])
def test_it_begins_as_pytorchs_linear_layers_and_computes_what_they_do(layers: int) -> None:
    task, weights = first_weights(prime=11, n_layers=layers, hidden_dim=16, seed=4)
    expected = as_torch(11, 16, layers)(task.train.inputs)
    assert roundings(logits(weights, task.train.inputs), expected) < 100


def test_the_hooked_network_and_its_algebra_agree_in_values_and_gradients() -> None:
    task, weights = first_weights(prime=5, n_layers=3, hidden_dim=8)
    model: Any = FAMILY.model(FAMILY.params(prime=5, n_layers=3, hidden_dim=8))
    exact = {role: tensor.double().requires_grad_() for role, tensor in weights.items()}
    inputs, sites = task.test.inputs.double(), sorted(model.sites)
    hooked: HookedModel = model.hooked
    slow, fast = hooked.answers(exact, inputs, sites), model.answers(exact, inputs, sites)
    for site in sites:
        assert roundings(fast[site].detach(), slow[site].detach()) < 100, site
        cubes = (found[site].pow(3).sum() for found in (slow, fast))
        pulled = [
            torch.autograd.grad(each, list(exact.values()), allow_unused=True, retain_graph=True) for each in cubes
        ]
        for one, other in zip(*pulled, strict=True):
            assert (one is None) == (other is None)
            assert one is None or roundings(other, one) < 1000, site


def test_every_weight_decays_and_no_bias_does() -> None:
    variant = make_variant(FAMILY, {"n_layers": 2})
    assert variant.training is not None
    shapes = {role.name: role.shape for role in FAMILY.model(variant.params).roles.values()}
    decayed, bare = parameter_groups(variant.training, shapes)
    assert set(decayed.roles) == {"W_E.a", "W_E.b", "blocks.1.mlp.W_in", "W_U"}
    assert set(bare.roles) == {"blocks.0.mlp.b_in", "blocks.1.mlp.b_in", "b_U"}
    assert (decayed.weight_decay, bare.weight_decay) == (0.1, 0.0)


@pytest.mark.parametrize("operation", ["add", "multiply", "subtract", "divide"])
def test_it_memorises_every_operation(tmp_path: Path, operation: str) -> None:
    variant = open_bound(tmp_path, tables(FAMILY)).variant(
        FAMILY.name, prime=7, n_layers=2, operation=operation, train_fraction=0.5, learning_rate=3e-3
    )
    list(variant.train(steps=200, threads=1))
    assert variant.metric("train_accuracy")[1][-1] == 1.0
