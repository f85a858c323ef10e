"""The parity family: it keeps the contract, and what it learns is the parity of the relevant bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import miscope_toys
from miscope import MiscopeError
from miscope.family import make_variant
from miscope.testing import check_family
from miscope_toys.parity import ParityFamily, relevant_bits
from miscope_toys.perceptron import build_model, initial_weights, logits

TINY = {"bits": 6, "degree": 2, "examples": 60, "width": 16}


@pytest.mark.parametrize("params", [{}, TINY, {"bits": 3, "degree": 3, "examples": 100}, {"degree": 1}])
def test_the_parity_family_keeps_the_contract(params: dict[str, int]) -> None:
    check_family(ParityFamily(), params)


def test_the_answer_is_the_parity_of_the_relevant_bits() -> None:
    variant = make_variant(ParityFamily(), TINY)
    relevant = relevant_bits(variant.params)
    assert len(relevant) == 2
    task = ParityFamily().task(variant)
    for part in (task.train, task.test):
        assert [sum(row[bit] for bit in relevant) % 2 for row in part.inputs.tolist()] == part.labels.tolist()


def test_who_looks_at_a_variant_of_gigabytes_of_examples_draws_none_of_them() -> None:
    largest = make_variant(ParityFamily(), {"bits": 512, "examples": 1_000_000})
    probes = ParityFamily().probes(largest)
    assert list(probes) == ["patterns", "examples"]
    assert len(next(iter(probes.values())).inputs) == 1024


def test_no_example_is_drawn_twice() -> None:
    task = ParityFamily().task(make_variant(ParityFamily(), {**TINY, "examples": 1000}))
    rows = [tuple(row) for part in (task.train, task.test) for row in part.inputs.tolist()]
    assert len(rows) == len(set(rows)) == 2**6


def test_the_data_seed_draws_the_relevant_bits_and_the_seed_does_not() -> None:
    def relevant(**seeds: int) -> tuple[int, ...]:
        return relevant_bits(make_variant(ParityFamily(), seeds).params)

    assert relevant(seed=1) == relevant(seed=2)
    assert len({relevant(data_seed=seed) for seed in range(20)}) > 15


def test_exchanging_two_relevant_bits_permutes_the_rows_of_the_probe() -> None:
    variant = make_variant(ParityFamily(), {"bits": 9, "degree": 3})
    probe, relevant = ParityFamily().probes(variant)["patterns"], relevant_bits(variant.params)
    assert len(probe.symmetries) == 3
    for name, image in probe.symmetries.items():
        one, other = map(int, name.split()[1:])
        swapped = probe.inputs.clone()
        swapped[:, [one, other]] = swapped[:, [other, one]]
        assert {one, other} <= set(relevant)
        assert torch.equal(probe.inputs[torch.from_numpy(image)], swapped)
        assert probe.labels is not None
        assert torch.equal(probe.labels[torch.from_numpy(image)], probe.labels)


def test_patterns_are_the_relevant_bits_read_as_a_number() -> None:
    variant = make_variant(ParityFamily(), {"bits": 9, "degree": 3})
    probe = ParityFamily().probes(variant)["patterns"]
    digits = probe.inputs[:, list(relevant_bits(variant.params))].numpy()
    np.testing.assert_array_equal(digits @ [4, 2, 1], probe.columns["pattern"])


def test_the_network_computes_in_the_precision_of_its_weights() -> None:
    bits = torch.randint(2, (50, 6), generator=torch.Generator().manual_seed(0))
    weights = {name: w.double() for name, w in initial_weights(6, 16, seed=0).items()}
    hooked = build_model(6, 16).answers(weights, bits, ["logits"])["logits"]
    assert hooked.dtype == torch.float64
    torch.testing.assert_close(logits(weights, bits), hooked, rtol=1e-12, atol=1e-12)


def test_a_degree_beyond_the_bits_is_refused() -> None:
    with pytest.raises(MiscopeError) as caught:
        make_variant(ParityFamily(), {"bits": 4, "degree": 5})
    assert str(caught.value) == (
        "degree=5 is more than there are bits.\nAn input has bits=4.\nChoose a degree of at most 4."
    )


def test_a_share_that_leaves_no_test_example_is_refused() -> None:
    variant = make_variant(ParityFamily(), {**TINY, "examples": 4}, {"train_fraction": 0.1})
    with pytest.raises(MiscopeError) as caught:
        ParityFamily().task(variant)
    assert str(caught.value) == (
        "train_fraction=0.1 of 4 examples leaves nothing to train on.\n"
        "It makes 0 training examples.\n"
        "Ask for more examples, or choose another train_fraction."
    )


def relevant_share(variant, step: int) -> float:
    """Share of the squared input weights that lies on the relevant bits."""
    weights = variant.at(step).checkpoint.weights["blocks.0.mlp.W_in"]
    return float(weights[list(relevant_bits(variant.value.params))].square().sum() / weights.square().sum())


def test_with_many_examples_the_relevant_bits_are_found(workspace) -> None:
    variant = workspace(toys=miscope_toys).variant(
        "toys.parity", bits=10, degree=2, examples=800, width=128, steps=1500, evaluate_every=500
    )
    for _ in variant.train(threads=1):
        pass
    assert variant.metrics()["test_accuracy"].values[-1] > 0.95
    assert relevant_share(variant, 0) < 0.3 < 0.6 < relevant_share(variant, 1500)


@pytest.mark.slow
def test_the_default_run_memorises_first_and_generalises_late(workspace) -> None:
    variant = workspace(toys=miscope_toys).variant("toys.parity")
    for _ in variant.train(threads=1):
        pass
    metrics = variant.metrics()
    train, test = (
        dict(zip(s.steps.tolist(), s.values, strict=True))
        for s in (metrics["train_accuracy"], metrics["test_accuracy"])
    )
    assert train[2000] > 0.99
    assert test[2000] < 0.55
    assert test[10_000] > 0.99
    # Progress is hidden: the weights have turned to the relevant bits before the answers show it.
    assert relevant_share(variant, 3500) > 1.2 * relevant_share(variant, 0)
    assert test[3500] < 0.6
