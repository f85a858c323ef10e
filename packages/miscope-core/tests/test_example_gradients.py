"""The gradient of each example: together, by the network or one after the other, it is what autograd says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from miscope.analysis.losses import losses_of
from miscope.errors import DoesNotApply
from miscope.example_gradients import ExampleGradients
from miscope.family import Family, make_variant
from miscope.loss_function import LossFunction
from miscope.model_context import ModelContext
from miscope.testing.toy_gated import ToyGated
from miscope.testing.toy_sequences import ToySequences
from miscope.testing.toy_tables import ToyTables


def of_family(family: Family) -> tuple[LossFunction, Mapping[str, Tensor]]:
    context = ModelContext(family, make_variant(family, {"values": 5, "width": 4}))
    assert context.task is not None
    return losses_of(context, 10)["train"], context.task.initial_weights()


def by_hand(loss: LossFunction, weights: Mapping[str, Tensor]) -> Tensor:
    """(n, D)"""
    single = (replace(loss, examples=loss.examples.part(i, i + 1)) for i in range(len(loss.examples)))
    return torch.stack(
        [torch.cat([g.flatten() for g in one.gradient(weights, list(weights)).values()]) for one in single]
    )


def computed(loss: LossFunction, weights: Mapping[str, Tensor]) -> Tensor:
    with torch.no_grad():  # as instruments are run
        return torch.cat(list(ExampleGradients(loss, weights).of(loss.examples)))


@pytest.mark.parametrize("family", [ToyTables(), ToyGated(), ToySequences()], ids=lambda family: family.name)
def test_each_gradient_is_that_of_a_loss_of_one_example(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    loss, weights = of_family(family)
    expected = by_hand(loss, weights)
    assert float(expected.abs().max()) > 0
    torch.testing.assert_close(computed(loss, weights), expected, rtol=1e-9, atol=1e-14)
    monkeypatch.setattr("miscope.example_gradients._NUMBERS", 3 * expected.shape[1])
    parts = [len(rows) for rows in ExampleGradients(loss, weights).of(loss.examples)]
    assert parts[0] == 3
    assert sum(parts) == len(expected)
    torch.testing.assert_close(computed(loss, weights), expected, rtol=1e-9, atol=1e-14)


def test_a_run_that_looks_at_its_inputs_gives_way_to_the_network_or_goes_one_by_one() -> None:
    loss, weights = of_family(ToySequences())
    asked: list[int] = []

    def looking(given: Mapping[str, Tensor], inputs: Tensor) -> Any:
        asked.append(len(inputs))
        assert bool((inputs >= 0).all())
        return loss.run(given, inputs)

    expected = by_hand(loss, weights)
    by_network = computed(replace(loss, run=looking, network=loss.run), weights)
    assert asked == [1]
    torch.testing.assert_close(by_network, expected, rtol=1e-9, atol=1e-14)
    one_by_one = computed(replace(loss, run=looking, network=None), weights)
    assert asked.count(1) >= len(expected)
    torch.testing.assert_close(one_by_one, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_squared_lengths_for_several_labels_are_those_of_gradients_with_each_of_them(together: bool) -> None:
    loss, weights = of_family(ToyTables())
    runs: list[int] = []

    def looking(given: Mapping[str, Tensor], inputs: Tensor) -> Any:
        runs.append(len(inputs))
        assert together or bool((inputs >= 0).all())
        return loss.run(given, inputs)

    labels = loss.examples.labels
    assert labels is not None
    others = [labels, labels.flip(0), (labels + 1) % 5]
    asked = replace(loss, run=looking, network=None)
    with torch.no_grad():
        found = ExampleGradients(asked, weights).squares(loss.examples, others)
    shown = (replace(loss, examples=replace(loss.examples, labels=each)) for each in others)
    expected = torch.stack([by_hand(each, weights).square().sum(dim=1) for each in shown], dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-14)
    assert runs.count(1) == (1 + len(others) if together else 1 + len(labels))


def test_an_example_of_a_loss_that_is_no_mean_has_no_gradient_of_its_own() -> None:
    loss, weights = of_family(ToyTables())
    with pytest.raises(DoesNotApply) as refused:
        ExampleGradients(replace(loss, objective=replace(loss.objective, additive=False)), weights)
    assert refused.value.reason == "its loss is no mean over examples, so a single example has none"


def test_an_error_of_the_network_itself_is_told() -> None:
    loss, weights = of_family(ToyTables())

    def broken(given: Mapping[str, Tensor], inputs: Tensor) -> Any:
        return {"logits": inputs @ torch.ones(7)}

    with pytest.raises(RuntimeError):
        computed(replace(loss, run=broken, network=None), weights)
