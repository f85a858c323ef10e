"""Class geometry, against the paper's models and by hand."""

import numpy as np
import pytest
import torch

from miscope.analyzers.geometry import CLASSES, PCA
from miscope.errors import DoesNotApply
from miscope.snapshot import Snapshot, Trajectory
from miscope.testing import check_analyzer, toy_snapshot
from miscope.testing.toy import ToyFamily, cosines

RESID = "blocks.0.hook_resid_post"


def test_the_geometry_of_classes_keeps_the_contract_without_a_basis():
    check_analyzer(CLASSES, ToyFamily())


def resid_post(model):
    """The paper's answer-position residual stream, from its hidden activations."""
    shown = model.shown
    w = {role: tensor.double() for role, tensor in shown["weights"].items()}
    x = w["W_E"][shown["probe"].inputs] + w["W_pos"]
    value = torch.einsum("npd,hde->nhpe", x, w["blocks.0.attn.W_V"])
    pattern = shown["activations"]["blocks.0.attn.hook_pattern"].double()
    attended = torch.einsum("nhk,nhke,hed->nd", pattern, value, w["blocks.0.attn.W_O"])
    hidden = shown["activations"]["blocks.0.mlp.hook_post"].double()
    return x[:, -1] + attended + hidden @ w["blocks.0.mlp.W_out"] + w["blocks.0.mlp.b_out"]


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_classes(calibration, name):
    model = calibration(name)
    known = model.known["resid_post_centroids"]
    shown = model.shown | {"activations": {RESID: resid_post(model)}, "bases": {"sum": cosines(113)}}
    outputs = CLASSES.compute(Snapshot(**shown, options=CLASSES.options()))

    # 1e-6 is what the stored pattern's float32 leaves.
    assert outputs[f"{RESID}/between"] == pytest.approx(known["between_class_variance"], rel=1e-6)
    assert outputs[f"{RESID}/within"] == pytest.approx(known["mean_within_class_variance"], rel=1e-6)
    assert outputs[f"{RESID}/ratio"] == pytest.approx(known["between/within"], rel=1e-6)
    keys = [int(k) - 1 for k in known["per_freq_circle"]]
    share, ratio = outputs[f"{RESID}/share"][keys], outputs[f"{RESID}/axis_ratio"][keys]
    assert share.sum() == pytest.approx(known["key_freq_variance_fraction"], rel=1e-6)
    assert share == pytest.approx(
        [c["centroid_variance_fraction"] for c in known["per_freq_circle"].values()], rel=1e-6
    )
    assert ratio == pytest.approx([c["axis_ratio_minor/major"] for c in known["per_freq_circle"].values()], rel=1e-4)


def circle_of_five(bases, spread=0.0):
    """Five classes on a circle, its inputs `spread` off their mean along a third axis."""
    probe = toy_snapshot(options=None).probe
    angles = 2 * np.pi * probe.columns["sum"] / 5
    first = probe.columns["a"]
    units = np.column_stack([np.cos(angles), np.sin(angles), spread * (first - 2)])
    activations = {RESID: torch.from_numpy(units).float()}
    return toy_snapshot(options=CLASSES.options(), activations=activations, bases=bases)


def test_a_circle_of_classes_by_hand():
    outputs = CLASSES.compute(circle_of_five({"sum": cosines(5)}, spread=1.0))

    assert outputs[f"{RESID}/between"] == pytest.approx(1)
    assert outputs[f"{RESID}/within"] == pytest.approx(2)
    assert outputs[f"{RESID}/fisher_min"] == pytest.approx((2 * np.sin(np.pi / 5)) ** 2 / 4)
    assert outputs[f"{RESID}/mean_dimension"] == pytest.approx(1)
    assert outputs[f"{RESID}/nc1"] == pytest.approx(0, abs=1e-9)
    assert outputs[f"{RESID}/nc2_length"] == pytest.approx(0, abs=1e-6)
    assert outputs[f"{RESID}/share"] == pytest.approx([1, 0], abs=1e-6)
    assert outputs[f"{RESID}/explained"][:3] == pytest.approx([0.5, 0.5, 0], abs=1e-6)


def test_without_a_basis_the_circle_is_found_all_the_same():
    outputs = CLASSES.compute(circle_of_five({}))

    assert outputs[f"{RESID}/pair"][0].tolist() == [1, 2]
    assert outputs[f"{RESID}/circularity"][0] == pytest.approx(1, abs=1e-6)
    assert outputs[f"{RESID}/circle"][0] == pytest.approx([0, 0, 1], abs=1e-6)
    assert f"{RESID}/share" not in outputs


def test_classes_that_are_points_leave_nothing_undefined_behind():
    outputs = CLASSES.compute(circle_of_five({"sum": cosines(5)}))

    assert np.isnan(outputs[f"{RESID}/ratio"])
    assert np.isnan(outputs[f"{RESID}/fisher_min"])
    assert outputs[f"{RESID}/nc1"] == pytest.approx(0, abs=1e-9)


def test_inputs_with_one_and_the_same_answer_are_no_classes():
    from dataclasses import replace

    snapshot = circle_of_five({})
    alike = replace(snapshot.probe, labels=torch.zeros(25, dtype=torch.int64))
    with pytest.raises(DoesNotApply, match="all its inputs have the same answer"):
        CLASSES.compute(replace(snapshot, probe=alike))


def test_fixed_axes_are_those_of_all_checkpoints_together():
    early, late = (CLASSES.compute(circle_of_five({})) for _ in range(2))
    turned = late | {f"{RESID}/centroid": 3 * late[f"{RESID}/centroid"][:, [2, 1, 0]]}
    stacked = {name: np.stack([early[name], turned[name]]) for name in early}
    snapshot = circle_of_five({})
    trajectory = Trajectory(
        variant=snapshot.variant,
        steps=np.array([0, 5]),
        options=PCA.options(),
        probe=snapshot.probe,
        artifacts={"geometry.classes": stacked},
    )
    outputs = PCA.compute(trajectory)

    # Variances 0.5 of cosines and sines, nine times that at the later step, the sines on a common axis.
    assert outputs[f"{RESID}/explained"] == pytest.approx([5 / 10, 4.5 / 10, 0.5 / 10], rel=1e-3)
    assert outputs[f"{RESID}/explained_at"].sum(axis=1) == pytest.approx([1, 1], rel=1e-3)
    assert outputs["at"].tolist() == [0, 5]


def test_one_checkpoint_has_fixed_axes_too():
    snapshot = circle_of_five({})
    arrays = {name: array[None] for name, array in CLASSES.compute(snapshot).items()}
    trajectory = Trajectory(
        variant=snapshot.variant,
        steps=np.array([7]),
        options=PCA.options(),
        probe=snapshot.probe,
        artifacts={"geometry.classes": arrays},
    )
    assert PCA.compute(trajectory)[f"{RESID}/scores"].shape == (1, 5, 3)
