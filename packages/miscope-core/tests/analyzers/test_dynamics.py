"""Modes of the weights' path: oscillators are found, random walks are not taken for any."""

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.analyzers.dynamics import MODES, ModeOptions, dynamic_modes
from miscope.analyzers.parameters import TRAJECTORY, VELOCITY, trajectory, velocity
from miscope.errors import DoesNotApply
from miscope.maths.driven_walk import Drive, drifting, pulled
from miscope.outcome import State
from miscope.snapshot import Trajectory
from miscope.testing import ToyFamily, scene, tables, toy_snapshot


def course(points, steps=None, **options):
    fields = {
        "variant": toy_snapshot().variant,
        "steps": np.arange(len(points)) * 10 if steps is None else np.array(steps),
        "probe": None,
        "weights": {"W_E": lambda: torch.from_numpy(points).float()},
    }
    artifacts = {
        "parameters.trajectory": returned_arrays(
            "trajectory", trajectory(Trajectory(options=TRAJECTORY.options(draws=2), **fields))
        ),
        "parameters.velocity": returned_arrays("velocity", velocity(Trajectory(options=VELOCITY.options(), **fields))),
    }
    return Trajectory(options=ModeOptions(**options), artifacts=artifacts, **fields)


def test_dynamic_modes_of_a_trained_toy_are_saved_under_documented_names():
    with scene(ToyFamily(), tables(), steps=16) as place:
        variant = place.variants[0]
        states = [outcome.state for outcome in variant.analyze("dynamics.modes")]
        arrays = variant.arrays("dynamics.modes")
    assert set(states) == {State.SAVED}
    documented = {name.rpartition("/")[2] for name in MODES.outputs}
    assert {name.rpartition("/")[2] for name in arrays} == documented
    assert len(arrays["at"]) == 9


def oscillator(n=120, angle=0.5, noise=0.01):
    t = np.arange(n)
    random = np.random.default_rng(0)
    directions = random.standard_normal((3, 300))
    turning = 0.995**t
    parts = np.stack([turning * np.cos(angle * t), turning * np.sin(angle * t), 0.97**t], axis=1)
    return parts @ directions + noise * random.standard_normal((n, 300))


def test_an_oscillation_is_found_with_its_period():
    outputs = dynamic_modes(course(oscillator(), draws=20, rank=3))
    assert outputs["all/oscillations"] == 1
    turning = np.flatnonzero(outputs["all/oscillates"])
    assert outputs["all/period"][turning] == pytest.approx([2 * np.pi * 10 / 0.5] * 2, rel=0.01)
    assert outputs["all/modulus"][turning] == pytest.approx([0.995] * 2, abs=0.01)
    assert outputs["all/verdict"].tolist() == ["1 oscillatory mode"]
    low, high = outputs["all/modulus_band"]
    assert (low <= outputs["all/modulus"] + 1e-3).all()
    assert (high >= outputs["all/modulus"] - 1e-3).all()
    assert outputs["all/median_residual"] < 0.2


NONE = "no oscillatory mode beyond what walks show"
EVEN, FASTER = np.ones(49), np.exp(np.linspace(0, 1.5, 49))


@pytest.mark.parametrize(
    ("walk", "turns"),
    [
        (lambda random: pulled(EVEN, 2000, Drive(pull=0.0, reach=0.0), random), False),
        (lambda random: pulled(EVEN, 2000, Drive(pull=0.1, reach=0.0), random), True),
        (lambda random: pulled(FASTER, 2000, Drive(pull=0.3, reach=3.0), random), True),
        (lambda random: drifting(EVEN, 2000, 0.2, random), False),
    ],
    ids=["aimless", "pulled", "pulled and growing faster", "drifting"],
)
def test_of_walks_at_most_the_nominal_share_seems_to_oscillate(walk, turns):
    walks = [
        dynamic_modes(course(walk(np.random.default_rng(seed)), draws=20, bags=2, seed=100 + seed)) for seed in range(8)
    ]
    assert [arrays["all/verdict"][0] for arrays in walks].count(NONE) >= 7
    if turns:
        faster = [np.abs(arrays["all/eigenvalue"][:, 1]).max() > arrays["all/null_imaginary"] for arrays in walks]
        assert np.mean(faster) > 0.5, "beside aimless walks alone, these would be called oscillations"


def test_what_has_not_turned_once_within_the_record_is_no_oscillation():
    t, random = np.arange(60), np.random.default_rng(0)
    arc = np.stack([np.cos(0.08 * t), np.sin(0.08 * t)], axis=1) @ random.standard_normal((2, 300))
    outputs = dynamic_modes(course(arc + 0.01 * random.standard_normal(arc.shape), draws=20, bags=2, rank=2))
    turning = np.abs(outputs["all/eigenvalue"][:, 1]) > 0
    assert turning.all()
    limits = [outputs[f"all/{null}_imaginary"] for null in ("null", "drift", "pull")]
    assert np.abs(outputs["all/eigenvalue"][turning, 1]).min() > max(limits)
    assert outputs["all/period"][turning].min() > outputs["at"][-1] - outputs["at"][0]
    assert outputs["all/verdict"].tolist() == [NONE]


def test_an_uneven_clock_is_refused_unless_it_is_interpolated():
    points = oscillator(9)
    steps = [0, 1, 2, 4, 8, 16, 32, 64, 128]
    with pytest.raises(
        DoesNotApply,
        match=r"it takes 8 checkpoints with equal gaps, and the longest stretch has 3; "
        r"the option grid='interpolate' fills the gaps",
    ):
        dynamic_modes(course(points, steps))
    outputs = dynamic_modes(course(points, steps, grid="interpolate", draws=5, bags=5))
    assert outputs["at"].tolist() == np.linspace(0, 128, 9).tolist()
    assert outputs["gap"] == 16


def test_only_the_longest_even_stretch_is_used():
    steps = [0, 1, 2, *range(10, 210, 10)]
    outputs = dynamic_modes(course(oscillator(len(steps)), steps, draws=5, bags=5))
    assert outputs["at"].tolist() == list(range(10, 210, 10))
    assert outputs["all/residual"].shape == (19,)


def test_weights_that_stand_still_have_no_modes():
    with pytest.raises(DoesNotApply, match="its weights do not move"):
        dynamic_modes(course(np.ones((10, 30))))


def test_bags_that_span_fewer_directions_leave_the_others_their_band():
    outputs = dynamic_modes(course(oscillator(9), draws=5, rank=6))
    assert np.isfinite(outputs["all/modulus_band"]).all()
    assert np.isfinite(outputs["all/covariance"]).all()
