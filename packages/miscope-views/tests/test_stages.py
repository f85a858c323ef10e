from __future__ import annotations

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import stages

STEPS = np.array([0, 10, 20, 30])
ARRAYS = {
    "at": STEPS,
    "series": np.array(["train loss", "test loss", "weights squares"]),
    "value": np.arange(12.0).reshape(4, 3),
    "method": np.array(["mean", "online"]),
    "boundary": np.array([[False, True, True, False], [False, True, False, False]]),
    "consensus": np.array([10, 20]),
    "votes": np.array([2, 2]),
    "ci": np.array([[0, 20], [20, 20]]),
    "support": np.array([0.9, 0.8]),
    "stage_count": np.array(3),
    "factor": np.array([0.5, 4.0]),
    "stability": np.array([[False, True, True], [False, True, False]]),
}


def shown(**arrays: object) -> ViewData:
    reads = {"stages.change_points": ARRAYS | arrays}
    variant = make_variant(ToyFamily(), {})
    return ViewData(variant=variant, step=None, steps=STEPS, step_label="epoch", artifacts=reads)  # pyright: ignore


def test_every_second_stage_is_shaded_and_each_kind_of_series_has_its_panel():
    figure = stages.change_points(shown())

    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(10, 20)]
    assert figure.layout.yaxis.title.text == "log<br>loss"
    assert figure.layout.yaxis2.title.text == "log<br>weights"
    assert list(figure.layout.yaxis3.categoryarray) == ["mean", "online", "agreed"]
    assert "3 stages · 1 to 2 cuts by the mean as its penalty goes from 4× to 0.5×" in figure.layout.title.subtitle.text


def test_the_strip_tells_each_method_and_the_interval_of_what_they_agree_on():
    figure = stages.change_points(shown())
    mean, online, both, _ = figure.data[-4:]

    assert (list(mean.x), list(online.x), list(both.x)) == ([10, 20], [10], [10, 20])
    assert (list(both.error_x.array), list(both.error_x.arrayminus)) == ([10, 0], [10, 0])


def test_the_path_of_stability_shows_the_cuts_at_every_penalty():
    figure = stages.change_points(shown())
    path = figure.data[-1]

    assert list(zip(path.x, path.y, strict=True)) == [(10, "0.5×"), (20, "0.5×"), (10, "4×")]
    assert list(figure.layout.yaxis4.categoryarray) == ["0.5×", "4×"]


def test_one_stage_is_said_to_be_one():
    none = {"consensus": np.zeros(0, int), "votes": np.zeros(0, int), "ci": np.zeros((0, 2), int)}
    figure = stages.change_points(shown(**none, support=np.zeros(0), stage_count=np.array(1)))

    assert not figure.layout.shapes
    assert "one stage" in figure.layout.title.subtitle.text
