"""The two perceptrons."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from miscope.bound import open_bound
from miscope.family import Family, make_variant
from miscope.testing import check_family, roundings, tables
from miscope_modadd.embedding_mlp import EmbeddingMlpFamily
from miscope_modadd.mlp import MlpFamily

FAMILIES = [MlpFamily(), EmbeddingMlpFamily()]


def first_weights(family: Family) -> Mapping[str, Tensor]:
    task = family.task(make_variant(family, {"prime": 11, "seed": 4}))
    assert task is not None
    return task.initial_weights()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_each_mlp_keeps_the_contract_of_a_family(family: Family) -> None:
    check_family(family, {"prime": 11})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_their_sites_are_named_like_a_transformers_with_one_position(family: Family) -> None:
    model, probe = family.model(family.params()), family.probes(make_variant(family, {}))["grid"]
    task = family.task(make_variant(family, {}))
    assert task is not None
    activations = model.run(task.initial_weights(), probe.inputs[:3], sorted(model.sites))
    assert {"blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post", "logits"} <= set(activations)
    assert activations["blocks.0.mlp.hook_post"].shape == (3, 1, 512)
    assert activations["logits"].shape == (3, 1, 113)


def test_the_mlp_begins_as_pytorchs_linear_layers_on_one_hot_inputs() -> None:
    weights = first_weights(MlpFamily())
    torch.manual_seed(4)
    first, second = torch.nn.Linear(22, 512, bias=False), torch.nn.Linear(512, 11, bias=False)
    one_hot = torch.cat([torch.eye(11)[torch.tensor([2, 9])], torch.eye(11)[torch.tensor([5, 0])]], dim=1)
    expected = second(torch.relu(first(one_hot)))
    from miscope_modadd.hooked_mlp import logits

    assert roundings(logits(weights, torch.tensor([[2, 5], [9, 0]])), expected) < 100


def test_the_embedding_mlp_begins_as_pytorchs_embeddings_and_linear_layers() -> None:
    weights = first_weights(EmbeddingMlpFamily())
    torch.manual_seed(4)
    a, b = torch.nn.Embedding(11, 16), torch.nn.Embedding(11, 16)
    first, second = torch.nn.Linear(16, 512, bias=False), torch.nn.Linear(512, 11, bias=False)
    expected = second(torch.relu(first(a(torch.tensor([2, 9])) + b(torch.tensor([5, 0])))))
    from miscope_modadd.hooked_mlp import logits

    assert roundings(logits(weights, torch.tensor([[2, 5], [9, 0]])), expected) < 100


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_each_mlp_trains(tmp_path: Path, family: Family) -> None:
    variant = open_bound(tmp_path, tables(family)).variant(family.name, prime=11, learning_rate=1e-2)
    list(variant.train(steps=60, threads=1))
    losses = variant.metric("train_loss")[1]
    assert losses[-1] < 0.5 * losses[0]
