"""Activations ablated by mean and zero, and components ablated in weights, by hand."""

import numpy as np
import pytest
import torch

from miscope.maths.ablation import ablate, ablate_component, ablate_to, donors, power_along
from miscope.testing.toy import cosines

BASIS = cosines(5)


def test_the_mean_is_taken_at_each_position_over_the_batch():
    activation = torch.arange(12.0).reshape(2, 3, 2)

    whole = ablate("mean", None)(activation)
    assert whole[0].tolist() == whole[1].tolist() == [[3, 4], [5, 6], [7, 8]]
    one = ablate("mean", 1)(activation)
    assert one[:, :, 1].tolist() == whole[:, :, 1].tolist()
    assert one[:, :, 0].tolist() == activation[:, :, 0].tolist()


def test_zero_is_put_at_the_neurons_asked_for_and_nothing_is_overwritten():
    activation = torch.ones(2, 3, 4)
    ablated = ablate("zero", torch.tensor([0, 3]))(activation)

    assert ablated[1, 2].tolist() == [0, 1, 1, 0]
    assert activation.sum() == 24


@pytest.mark.parametrize("axis", [0, 1])
def test_a_component_is_ablated_exactly_and_no_other(axis):
    weight = torch.randn(7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ablated = ablate_component(weight, axis, BASIS, BASIS.components[0].rows)

    powers = [power_along(ablated, axis, BASIS, block.rows) for block in BASIS.blocks]
    before = [power_along(weight, axis, BASIS, block.rows) for block in BASIS.blocks]
    assert powers == pytest.approx([before[0], 0, before[2]], abs=1e-12)
    assert torch.equal(ablated.movedim(axis, 0)[5:], weight.movedim(axis, 0)[5:])


def test_powers_of_all_components_are_the_power_of_the_rows_they_are_about():
    weight = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    total = sum(power_along(weight, 0, BASIS, block.rows) for block in BASIS.blocks)
    assert total == pytest.approx(float(weight[:5].double().square().sum()))
    assert np.isfinite(total)


def test_every_input_gets_another_ones_activation_and_none_is_used_twice():
    order = donors(50, seed=3)
    assert sorted(order.tolist()) == list(range(50))
    assert (order != torch.arange(50)).all()
    assert torch.equal(order, donors(50, seed=3))
    assert not torch.equal(order, donors(50, seed=4))

    activation = torch.arange(300.0).reshape(50, 2, 3)
    ablated = ablate("resample", 1, order)(activation)
    assert torch.equal(ablated[:, :, 1], activation[order][:, :, 1])
    assert torch.equal(ablated[:, :, [0, 2]], activation[:, :, [0, 2]])


def test_a_level_taken_elsewhere_is_put_at_the_heads_asked_for():
    level = torch.full((2, 3, 4), 7.0)
    ablated = ablate_to(level, torch.tensor([1, 2]))(torch.zeros(2, 3, 4))
    assert ablated[0, 0].tolist() == [0, 7, 7, 0]
