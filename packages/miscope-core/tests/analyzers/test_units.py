"""Statistics of units, on the paper's models and by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.units import FLIPS, STATISTICS
from miscope.errors import DoesNotApply
from miscope.snapshot import Trajectory
from miscope.testing import toy_snapshot

POST = "blocks.0.mlp.hook_post"


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_no_neuron_of_the_paper_is_dead_or_constant(calibration, computed, name):
    model = calibration(name)
    outputs = computed(STATISTICS, model)
    assert outputs[f"{POST}/dead_count"] == model.known["neurons"]["n_dead_over_all_inputs"] == 0
    assert outputs[f"{POST}/constant_share"] == model.known["neurons"]["n_constant"] == 0


def of_units(units, **options):
    activations = {POST: torch.tensor(units, dtype=torch.float32).T.repeat(5, 1)}
    return STATISTICS.compute(toy_snapshot(activations=activations, options=STATISTICS.options(**options)))


def test_dead_constant_and_always_on_units_are_counted():
    outputs = of_units([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 2, 3, 4, 5], [0, 0, 0, 0, 9]])
    assert outputs[f"{POST}/dead_count"] == 1
    assert outputs[f"{POST}/dead_share"] == 0.25
    assert outputs[f"{POST}/constant_share"] == 0.5
    assert outputs[f"{POST}/always_on_share"] == 0.5


def test_a_channel_far_above_the_others_is_an_outlier():
    units = [[1.0, -1, 1, -1, 1]] * 5 + [[100.0, -100, 100, -100, 100]]
    assert of_units(units)[f"{POST}/outlier_count"] == 1
    assert of_units(units, outlier=200)[f"{POST}/outlier_count"] == 0


def trained(signs):
    steps = np.arange(len(signs)) * 10
    stacked = {f"{POST}/signs": np.packbits(np.array(signs, dtype=bool), axis=2), "inputs": np.full(len(signs), 4)}
    snapshot = toy_snapshot()
    return Trajectory(
        variant=snapshot.variant,
        steps=steps,
        options=None,
        probe=snapshot.probe,
        artifacts={"units.statistics": stacked},
    )


def test_flips_are_counted_from_checkpoint_to_checkpoint_and_from_the_first():
    outputs = FLIPS.compute(trained([[[0, 0, 0, 0]], [[1, 1, 0, 0]], [[0, 1, 0, 0]]]))
    assert outputs[f"{POST}/rate"] == pytest.approx([0.5, 0.25])
    # Two inputs of four flip, then one.
    assert outputs[f"{POST}/rate_sem"] == pytest.approx([3**-0.5 / 2, 0.25])
    assert outputs[f"{POST}/from_start"] == pytest.approx([0, 0.5, 0.25])
    assert outputs["later"].tolist() == [10, 20]


def test_one_checkpoint_has_no_flips():
    with pytest.raises(DoesNotApply, match="a change needs 2 checkpoints, and it has 1"):
        FLIPS.compute(trained([[[0, 0, 0, 0]]]))
