"""Norms against the paper's table; paths and speeds against walks and lines."""

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzer import NoOptions
from miscope.analyzers.joint_paths import JOINT, joint
from miscope.analyzers.parameters import NORMS, TRAJECTORY, VELOCITY, PathOptions, trajectory, velocity
from miscope.errors import DoesNotApply
from miscope.snapshot import Cohort, Trajectory
from miscope.testing import toy_snapshot

PAPER = {
    "embed.W_E": "W_E",
    "pos_embed.W_pos": "W_pos",
    "unembed.W_U": "W_U",
}


@pytest.mark.parametrize("name", ["wd_10-1_mod_addition_loss_curve", "low_precision_mod_addition"])
def test_the_papers_norms(calibration, computed, name):
    model = calibration(name)
    outputs = computed(NORMS, model)
    for tensor, squares in model.known["sum_of_squared_weights"].items():
        role = PAPER.get(tensor, tensor)
        assert outputs[f"{role}/squares"] == pytest.approx(squares, rel=1e-6)
    for unit, role, count in (("head", "blocks.0.attn.W_Q", 4), ("neuron", "blocks.0.mlp.W_in", 512)):
        parts = outputs[f"{role}/squares_by_{unit}"]
        assert parts.shape == (count,)
        assert parts.sum() == pytest.approx(outputs[f"{role}/squares"])


def test_the_table_of_the_first_model(calibration, computed):
    outputs = computed(NORMS, calibration("wd_10-1_mod_addition_loss_curve"))
    known = {"W_E": 203.83, "W_U": 192.94, "total": 1180.97}
    known |= {f"blocks.0.attn.W_{n}": s for n, s in zip("VOQK", (189.72, 189.67, 9.80, 9.77), strict=True)}
    known |= {"blocks.0.mlp.W_in": 188.39, "blocks.0.mlp.W_out": 188.66}
    assert {name: round(float(outputs[f"{name}/squares"]), 2) for name in known} == known


def course(weights, analyzer, **options):
    steps = 100 * np.arange(len(next(iter(weights.values()))))
    return Trajectory(
        variant=toy_snapshot().variant,
        steps=steps,
        options=analyzer.options(**options),
        probe=None,
        weights={role: lambda points=points: torch.from_numpy(points).float() for role, points in weights.items()},
    )


def walks(points=120, seed=0):
    random = np.random.default_rng(seed)
    shapes = {"W_E": (20, 30), "blocks.0.attn.W_Q": (2, 10, 30), "blocks.0.mlp.W_in": (30, 60)}
    return {role: np.cumsum(random.normal(size=(points, *shape)), axis=0) for role, shape in shapes.items()}


def test_a_random_walk_looks_like_its_own_null():
    outputs = returned_arrays("trajectory", trajectory(course(walks(), TRAJECTORY, draws=50)))
    for group in ("all", "embedding", "attention", "mlp"):
        _, median, _ = outputs[f"{group}/null_explained"]
        assert outputs[f"{group}/explained"][:4] == pytest.approx(median, rel=0.3)
    assert outputs["all/cosine"][:2] == pytest.approx([1, 1], abs=0.02)


def test_a_path_that_drifts_or_is_pulled_back_looks_like_the_null_that_does():
    random = np.random.default_rng(0)
    noise = random.standard_normal((69, 800))
    drifting = np.concatenate([np.zeros((1, 800)), np.cumsum(noise + 0.5, axis=0)])
    pulled = [np.zeros(800)]
    for step in noise:
        pulled.append(0.8 * pulled[-1] + step)
    for points, kind in ((drifting, "drift"), (np.array(pulled), "pull")):
        outputs = returned_arrays("trajectory", trajectory(course({"W_E": points}, TRAJECTORY, draws=60)))
        assert outputs["all/explained"][:3] == pytest.approx(outputs[f"all/{kind}_explained"][1, :3], rel=0.15)
        low, _, high = outputs["all/null_explained"]
        assert not low[0] <= outputs["all/explained"][0] <= high[0]
    assert outputs["all/pull"] == pytest.approx(0.2, abs=0.02)


def test_a_straight_line_with_noise_lies_far_outside_it():
    line = np.linspace(0, 10, 60)[:, None] * np.ones(400) + 0.01 * np.random.default_rng(0).normal(size=(60, 400))
    outputs = returned_arrays("trajectory", trajectory(course({"W_E": line}, TRAJECTORY)))
    assert outputs["all/explained"][0] > 0.99 > outputs["all/null_explained"][2, 0]


def test_each_component_is_shared_out_over_the_tensors_that_carry_it():
    time = np.linspace(0, 1, 40)[:, None]
    weights = {"W_E": 3 * time * np.ones(16), "blocks.0.mlp.W_in": 1 * time * np.ones(16)}
    outputs = returned_arrays("trajectory", trajectory(course(weights, TRAJECTORY, draws=5)))
    assert outputs["all/role"].tolist() == ["W_E", "blocks.0.mlp.W_in"]
    assert outputs["all/loading"][0] == pytest.approx([0.9, 0.1], abs=1e-6)
    assert outputs["all/loading"][:1].sum(axis=1) == pytest.approx([1])


def test_the_same_seed_draws_the_same_null():
    first, second = (
        returned_arrays("trajectory", trajectory(course(walks(40), TRAJECTORY, draws=10))) for _ in range(2)
    )
    np.testing.assert_array_equal(first["all/null_path"], second["all/null_path"])


def test_too_few_checkpoints_are_said_not_to_apply():
    with pytest.raises(DoesNotApply, match="a path needs 3 checkpoints, and it has 2"):
        trajectory(course(walks(2), TRAJECTORY))


def test_a_straight_march_has_constant_speed_and_does_not_turn():
    points = np.arange(6.0)[:, None] * np.ones(25)
    outputs = returned_arrays("velocity", velocity(course({"W_E": points}, VELOCITY)))
    assert outputs["all/speed"] == pytest.approx([5 / 100] * 5)
    assert outputs["all/turning"] == pytest.approx([1] * 4)
    assert outputs["all/straightness"] == pytest.approx(1)
    assert outputs["all/length"] == pytest.approx(outputs["all/from_start"])
    assert outputs["midpoint"] == pytest.approx([50, 150, 250, 350, 450])


def test_there_and_back_is_not_straight():
    points = np.array([0.0, 1, 2, 1, 0])[:, None] * np.ones(4)
    outputs = returned_arrays("velocity", velocity(course({"W_E": points}, VELOCITY)))
    assert outputs["all/turning"] == pytest.approx([1, -1, 1])
    assert outputs["all/straightness"] == pytest.approx(0)
    assert outputs["all/to_end"] == pytest.approx([0, 2, 4, 2, 0])


def test_what_stands_still_has_no_angle_to_turn_by():
    points = np.array([0.0, 1, 1, 2, 3])[:, None] * np.ones(4)
    outputs = returned_arrays("velocity", velocity(course({"W_E": points}, VELOCITY)))
    assert outputs["all/turning"] == pytest.approx([np.nan, np.nan, 1], nan_ok=True)


def test_squares_of_speeds_add_up_over_tensors():
    outputs = returned_arrays("velocity", velocity(course(walks(10), VELOCITY)))
    parts = [outputs[f"{role}/speed"] ** 2 for role in walks(2)]
    assert outputs["all/speed"] ** 2 == pytest.approx(np.sum(parts, axis=0))


def test_options_have_the_documented_defaults():
    assert PathOptions() == TRAJECTORY.options()
    assert VELOCITY.options is NoOptions


def test_a_loop_larger_than_that_of_walks_is_told_from_one_that_is_not():
    turn = np.linspace(0, 2 * np.pi, 60)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) @ np.random.default_rng(0).normal(size=(2, 400))
    assert returned_arrays("trajectory", trajectory(course({"W_E": circle}, TRAJECTORY, draws=50)))["all/null_area_p"][
        0
    ] == pytest.approx(1 / 51)
    outputs = returned_arrays("trajectory", trajectory(course(walks(), TRAJECTORY, draws=50)))
    assert outputs["all/null_area_p"].min() > 1 / 51
    assert outputs["all/dimension"] > 100


def test_distances_between_checkpoints_are_those_of_all_tensors_together():
    points = walks(8)
    outputs = returned_arrays("trajectory", trajectory(course(points, TRAJECTORY, draws=2)))
    flat = np.concatenate([p.reshape(8, -1).astype(np.float32) for p in points.values()], axis=1)
    expected = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    assert outputs["all/distance"] == pytest.approx(expected, rel=1e-5, abs=1e-3)


def test_relative_speed_is_that_of_the_logarithm():
    points = np.exp(0.01 * np.arange(5.0))[:, None] * np.ones(9)
    outputs = returned_arrays("velocity", velocity(course({"W_E": points}, VELOCITY)))
    assert outputs["W_E/relative"] == pytest.approx([0.01 / 100] * 4, rel=1e-3)


def test_runs_are_laid_out_in_common_components():
    one, two = walks(6, seed=1), walks(5, seed=2)
    members = tuple(course(points, JOINT) for points in (one, two))
    outputs = joint(Cohort(members=members, options=JOINT.options(components=20)))
    assert outputs["member"].tolist() == [0] * 6 + [1] * 5
    assert outputs["at"].tolist() == [0, 100, 200, 300, 400, 500, 0, 100, 200, 300, 400]
    flat = [np.concatenate([p.reshape(len(p), -1) for p in points.values()], axis=1) for points in (one, two)]
    both = np.concatenate(flat)
    scores = outputs["scores"]
    assert np.linalg.norm(scores[0] - scores[8]) == pytest.approx(np.linalg.norm(both[0] - both[8]), rel=1e-4)
    assert outputs["explained"].sum() == pytest.approx(1)


def test_runs_of_other_shapes_have_no_axes_in_common():
    members = (course(walks(4), JOINT), course({"W_E": np.ones((4, 3))}, JOINT))
    with pytest.raises(DoesNotApply, match="their weights differ in shape, so they have no axes in common"):
        joint(Cohort(members=members, options=JOINT.options()))
