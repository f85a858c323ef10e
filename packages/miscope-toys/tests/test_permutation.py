"""The family of permutations: it keeps the contract, and what it learns lies in a few representations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import miscope_toys
from miscope.family import make_variant
from miscope.testing import check_family
from miscope_toys.irreps import elements
from miscope_toys.pair_perceptron import build_model, initial_weights, logits
from miscope_toys.permutation import PermutationFamily


@pytest.mark.parametrize("params", [{}, {"degree": 3, "width": 8, "neurons": 16}])
def test_the_permutation_family_keeps_the_contract(params: dict[str, int]) -> None:
    check_family(PermutationFamily(), params)


def test_the_answer_is_the_right_permutation_and_then_the_left_one() -> None:
    task, known = PermutationFamily().task(make_variant(PermutationFamily(), {"degree": 3})), elements(3)
    assert len(task.train) + len(task.test) == 36
    for part in (task.train, task.test):
        for (left, right), answer in zip(part.inputs.tolist(), part.labels.tolist(), strict=True):
            assert known[answer] == tuple(known[left][x] for x in known[right])


def test_what_is_put_in_between_and_taken_back_leaves_the_answer_alone_and_moves_every_pair() -> None:
    probe = PermutationFamily().probes(make_variant(PermutationFamily(), {}))["grid"]
    assert probe.labels is not None
    assert list(probe.symmetries) == ["through 0 1", "through 1 2", "through 2 3"]
    for image in probe.symmetries.values():
        assert sorted(image.tolist()) == list(range(576))
        assert (image != np.arange(576)).all()
        assert torch.equal(probe.labels[torch.from_numpy(image)], probe.labels)


def test_the_short_algebra_is_the_hooked_network() -> None:
    weights = {name: tensor.double() for name, tensor in initial_weights(6, 8, 16, 0).items()}
    pairs = torch.cartesian_prod(torch.arange(6), torch.arange(6))
    hooked = build_model(6, 8, 16).answers(weights, pairs, ["logits"])["logits"]
    torch.testing.assert_close(logits(weights, pairs), hooked, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_the_default_run_memorises_first_and_generalises_late_by_a_few_representations(workspace) -> None:
    variant = workspace(toys=miscope_toys).variant("toys.permutation", steps=3_000, checkpoints="0,3000")
    for _ in variant.train(threads=1):
        pass
    metrics = variant.metrics()
    train, test = (
        dict(zip(s.steps.tolist(), s.values, strict=True))
        for s in (metrics["train_accuracy"], metrics["test_accuracy"])
    )
    assert train[500] > 0.99
    assert test[500] < 0.3
    assert test[3_000] > 0.99
    assert [o.error for o in variant.analyze("keys.votes", steps=[3_000]) if o.error] == []
    votes = variant.arrays("keys.votes", 3_000)
    assert dict(zip(votes["label"].tolist(), votes["votes"].tolist(), strict=True))["[2,2]"] == 0
    assert votes["label"][votes["key"]].tolist() == ["[3,1]", "[2,1,1]", "[1^4]"]
