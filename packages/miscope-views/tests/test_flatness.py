from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.flatness import over_training, plane, radii

STEPS = np.array([0, 10])
ARRAYS = {
    "step": STEPS,
    "loss": np.array([2.0, 0.5]),
    "relative/radius": np.tile([0.1, 0.2], (2, 1)),
    "relative/mean": np.array([[1.0, 4.0], [2.0, 8.0]]),
    "relative/sem": np.full((2, 2), 0.25),
    "relative/delta": np.ones((2, 2, 4)),
    "isotropic/radius": np.tile([0.5], (2, 1)),
    "isotropic/mean": np.array([[1.0], [2.0]]),
    "isotropic/sem": np.array([[0.1], [0.1]]),
    "isotropic/trace": np.array([[10.0], [20.0]]),
    "isotropic/trace_sem": np.array([[1.0], [1.0]]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    artifacts={"flatness.perturbation": ARRAYS},
    events={"memorised": 9.0},
)


def test_every_radius_has_a_line_in_a_band_of_two_standard_errors():
    figure = over_training(SHOWN, measure="increase", kind="relative")
    low, high, mean = figure.data[:3]

    assert list(mean.y) == [1, 2]
    assert (list(low.y), list(high.y)) == ([0.5, 1.5], [1.5, 2.5])
    assert [t.name for t in figure.data if t.name][-1] == "training loss"


def test_the_rise_can_be_read_relative_to_the_loss_and_as_a_trace():
    relative = over_training(SHOWN, measure="over loss", kind="relative")
    trace = over_training(SHOWN, measure="trace", kind="relative")

    assert list(relative.data[2].y) == [0.5, 4]
    assert list(trace.data[2].y) == [10, 20]


def test_a_mean_below_zero_is_drawn_on_a_linear_axis():
    arrays = ARRAYS | {"relative/mean": np.array([[-1.0, 4.0], [2.0, 8.0]])}
    shown = replace(SHOWN, artifacts={"flatness.perturbation": arrays})
    figure = over_training(shown, measure="increase", kind="relative")

    assert figure.layout.yaxis.type is None
    assert figure.data[2].y[0] == -1


def test_each_direction_is_a_dot_beside_the_bowl_through_the_first_mean():
    now = {name: array[-1] for name, array in ARRAYS.items() if name not in ("step",)} | {
        "isotropic/delta": np.ones((1, 4))
    }
    history = ARRAYS | {"isotropic/delta": np.ones((2, 1, 4))}
    shown = replace(
        SHOWN, step=10, artifacts={"flatness.perturbation": now}, history={"flatness.perturbation": history}
    )
    dots, bowl, mean, *_ = radii(shown, locked=True).data

    assert len(dots.x) == 8
    assert list(bowl.y) == [2, 8]
    assert list(mean.error_y.array) == [0.5, 0.5]


def test_the_plane_is_drawn_in_logarithms_with_the_checkpoints_on_it():
    arrays = {
        "x": np.arange(3.0),
        "y": np.arange(3.0),
        "loss": np.full((3, 3), 0.01),
        "accuracy": np.ones((3, 3)),
        "scores": np.array([[0.0, 0], [1, 2]]),
        "explained": np.array([0.7, 0.2]),
        "off": np.array([0.1, 0.2]),
    }
    shown = replace(SHOWN, artifacts={"flatness.plane": arrays})
    ground, path, marks = plane(shown, quantity="loss", logarithmic=True, events=True).data

    assert ground.z[0][0] == pytest.approx(-2)
    assert list(path.y) == [0, 2]
    assert list(marks.text) == ["memorised"]
