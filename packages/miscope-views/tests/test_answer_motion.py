from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from plotly.graph_objects import Figure

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing.toy import ToyFamily
from miscope_views.answer_motion import VELOCITY_VIEW, velocity

STEPS = np.array([0, 10, 30, 40])
MOTION = {
    "midpoint": np.array([5.0, 20.0, 35.0]),
    "train/speed": np.array([0.2, 0.1, 0.05]),
    "train/speed_sem": np.array([0.01, 0.01, 0.5]),
    "train/turning": np.array([0.5, -0.25]),
    "train/straightness": np.array(0.75),
    "test/speed": np.array([0.4, 0.4, 0.4]),
    "test/speed_sem": np.array([0.02, 0.02, 0.02]),
    "test/turning": np.array([1.0, 1.0]),
    "test/straightness": np.array(1.0),
}


def drawn(steps: np.ndarray = STEPS, motion: Mapping[str, np.ndarray] = MOTION) -> Figure:
    shown = ViewData(
        variant=make_variant(ToyFamily(), {}), step=None, steps=steps, artifacts={VELOCITY_VIEW.name: motion}
    )
    return velocity(shown)


def test_speeds_stand_between_checkpoints_and_cosines_at_the_one_in_the_middle():
    curves = {(trace.name, trace.yaxis): trace for trace in drawn().data if trace.name}

    assert list(curves["test", None].x) == [5, 20, 35]
    assert list(curves["train", "y2"].x) == [10, 30]
    assert list(curves["train", "y2"].y) == [0.5, -0.25]


def test_a_ribbon_that_reaches_below_zero_ends_above_it():
    low = drawn().data[0]

    assert low.y[0] == pytest.approx(0.2 - 1.96 * 0.01)
    assert low.y[2] == pytest.approx(0.05 * 0.05)


def test_the_subtitle_says_how_straight_the_paths_are():
    assert drawn().layout.title.subtitle.text.endswith("start to end / length of path: train 0.75, test 1.00")


def test_a_cosine_beside_a_move_of_no_length_is_a_gap_that_hides_no_other_loss():
    many = 9000
    speed, turning = np.ones(many - 1), np.full(many - 2, 0.5)
    turning[100:], speed[300] = np.nan, np.nan
    motion = {"midpoint": np.arange(many - 1) + 0.5, "train/speed": speed, "train/speed_sem": np.zeros(many - 1)}
    motion |= {"train/turning": turning, "train/straightness": np.array(0.5)}
    figure = drawn(np.arange(many), motion)

    assert figure.layout.title.subtitle.text.endswith(
        "start to end / length of path: train 0.50 · gaps: beside a move of no length"
    )
    assert "gaps" not in drawn().layout.title.subtitle.text
    assert [each.text for each in figure.layout.annotations if "not finite" in each.text] != []
