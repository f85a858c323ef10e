"""When heads part, by hand, and how far the paper's heads are apart."""

import numpy as np
import pytest
import torch

from miscope.analyzers.heads import DIFFERENTIATION, DISTANCES
from miscope.errors import DoesNotApply
from miscope.snapshot import Snapshot, Trajectory
from miscope.testing import toy_snapshot

BLOCK = "blocks.0"


def trained(distance, steps=None):
    matrices = np.array([[[0, d, d], [d, 0, d + 0.1], [d, d + 0.1, 0]] for d in distance])
    stacked = {f"{BLOCK}/pattern": matrices, f"{BLOCK}/pattern/mean": matrices.mean(axis=(1, 2))}
    snapshot = toy_snapshot()
    steps = np.arange(len(distance)) * 10 if steps is None else steps
    reads = {"heads.distances": stacked}
    return Trajectory(variant=snapshot.variant, steps=steps, options=None, probe=snapshot.probe, artifacts=reads)


def test_heads_have_parted_once_they_stay_farther_apart_than_any_two_at_first():
    outputs = DIFFERENTIATION.compute(trained([0.1, 0.5, 0.1, 0.3, 0.4]))
    assert outputs[f"{BLOCK}/pattern/parted"] == 30
    assert outputs[f"{BLOCK}/pattern/first"] == pytest.approx([0.1, 0.2])
    assert outputs[f"{BLOCK}/pattern/gain"] == pytest.approx(0.3)


def test_heads_that_come_together_again_have_not_parted():
    assert np.isnan(DIFFERENTIATION.compute(trained([0.1, 0.5, 0.1]))[f"{BLOCK}/pattern/parted"])


def test_one_checkpoint_cannot_say_when():
    with pytest.raises(DoesNotApply, match="parting needs 2 checkpoints, and it has 1"):
        DIFFERENTIATION.compute(trained([0.1]))


def test_heads_of_a_record_that_begins_later_may_have_parted_before():
    reason = "heads part from what they are at the initialisation, and the first checkpoint is step 300"
    with pytest.raises(DoesNotApply, match=reason):
        DIFFERENTIATION.compute(trained([0.1, 0.5, 0.6], steps=np.array([300, 400, 500])))


def test_the_papers_heads_of_one_frequency_are_each_others_opposite_and_of_two_unrelated(calibration):
    model = calibration("low_precision_mod_addition")
    pattern = model.shown["activations"][f"{BLOCK}.attn.hook_pattern"]
    z = torch.randn(len(pattern), 4, 32, generator=torch.Generator().manual_seed(0))
    sites = {f"{BLOCK}.attn.hook_pattern": pattern, f"{BLOCK}.attn.hook_z": z}
    outputs = DISTANCES.compute(Snapshot(**model.shown | {"activations": sites}, options=DISTANCES.options()))
    # Heads 0 and 1 look by frequency 23, heads 2 and 3 by frequency 6, each two with opposite signs.
    distance = outputs[f"{BLOCK}/QK"]
    assert min(distance[0, 1], distance[2, 3]) > 1.3
    assert np.abs(1 - distance[:2, 2:]).max() < 0.15
    assert 1 < outputs[f"{BLOCK}/pattern/heads"] < 4
    assert outputs[f"{BLOCK}/pattern/mean"] == pytest.approx(outputs[f"{BLOCK}/pattern"].sum() / 12)
    assert np.diag(distance) == pytest.approx(np.zeros(4), abs=1e-9)
