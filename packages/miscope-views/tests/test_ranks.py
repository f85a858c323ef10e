from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import NULL
from miscope.testing import ToyFamily
from miscope_views import scores
from miscope_views.ranks import VIEWS, over_training, scree, spectrum

STEPS = np.array([0, 10, 20])
LARGE = np.linspace(5, 1, 24)
ARRAYS = {
    "step": STEPS,
    "W_E/spectrum": np.stack([LARGE, LARGE, LARGE + np.r_[50, np.zeros(23)]]).astype(np.float32),
    "W_E/stable_rank": np.array([8.0, 4.0, 2.0]),
    "W_E/null_stable_rank": np.tile([7.0, 8.0, 9.0], (3, 1)),
    "W_E/outliers": np.array([0.0, 0.0, 1.0]),
    "W_E/alpha": np.array([np.nan, 3.0, np.nan]),
    "W_E/bulk_variance": np.array([0.3, 0.3, 0.3]),
    "W_E/shape": np.tile([24, 40], (3, 1)),
    "W_OV/spectrum": np.ones((3, 2, 4), dtype=np.float32),
    "W_OV/stable_rank": np.array([[4.0, 2.0], [2.0, 2.0], [1.0, 1.0]]),
    "W_OV/null_stable_rank": np.tile([2.0, 4.0, 5.0], (3, 1)),
    "W_OV/outliers": np.full((3, 2), np.nan),
    "W_OV/alpha": np.full((3, 2), np.nan),
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    artifacts={"ranks.weights": ARRAYS},
    events={"memorised": 11.0},
)
AT_END = replace(
    SHOWN,
    step=20,
    artifacts={"ranks.weights": {name: array[-1] for name, array in ARRAYS.items() if name != "step"}},
    history={"ranks.weights": ARRAYS},
)


def test_ranks_relative_to_noise_start_at_one_above_a_grey_band():
    figure = over_training(SHOWN, measure="stable_rank", matrix="all", relative=True)
    low, high, first, heads = figure.data

    assert (low.y[0], high.y[0]) == pytest.approx((0.5, 1.25))
    assert high.line.color == NULL
    assert list(first.y) == [1, 0.5, 0.25]
    assert list(heads.y) == [0.75, 0.5, 0.25]


def test_one_matrix_is_drawn_head_by_head():
    figure = over_training(SHOWN, measure="stable_rank", matrix="W_OV", relative=False)

    assert [trace.name for trace in figure.data[2:]] == ["L0H0", "L0H1"]
    assert list(figure.data[2].y) == [4, 2, 1]
    assert list(figure.data[1].y) == [5, 5]


def test_an_exponent_that_was_refused_leaves_a_gap_without_a_warning():
    figure = over_training(SHOWN, measure="alpha", matrix="all", relative=True)

    assert [trace.name for trace in figure.data] == ["W_E"]
    assert not figure.layout.annotations


def test_a_measure_that_no_matrix_allows_is_said_to_be_so():
    figure = over_training(SHOWN, measure="alpha", matrix="W_OV", relative=True)

    assert "no matrix allows this measure" in figure.layout.title.subtitle.text


@pytest.mark.parametrize(("scale", "first"), [("values", 5.0), ("share", 25 / (LARGE**2).sum()), ("log", np.log10(5))])
def test_the_scree_has_ranks_down_and_steps_across(scale: str, first: float):
    (heat,) = scree(SHOWN, matrix="W_E", head="0", scale=scale).data

    assert list(heat.x) == [0, 10, 20]
    assert list(heat.y) == list(range(1, 25))
    assert heat.z[0][0] == pytest.approx(first, rel=1e-6)


def test_a_spectrum_stands_beside_the_first_one_and_names_what_sticks_out():
    figure = spectrum(AT_END, matrix="W_E", head="0", locked=True)
    before, now, histogram, bulk = figure.data

    assert before.y[0] == 5
    assert now.y[0] == 55
    middle, width = np.array(histogram.x, dtype=float), np.array(histogram.width, dtype=float)
    decades = np.log10((middle + width / 2) / (middle - width / 2))
    assert (np.array(histogram.y) * decades).sum() == pytest.approx(1, rel=1e-4)
    x, y = np.log10(np.array(bulk.x, dtype=float)), np.array(bulk.y, dtype=float)
    assert ((y[1:] + y[:-1]) / 2 * np.diff(x)).sum() == pytest.approx(1, abs=0.01)
    assert bulk.name == "noise bulk"
    assert "1 of 24 singular values above the noise bulk" in figure.layout.title.subtitle.text


def test_a_head_of_a_matrix_is_chosen_for_its_card_alone():
    """Elsewhere a head is 'L0H2': what is selected there would be the first here, without a word."""
    with_heads = [view for view in (*VIEWS, *scores.VIEWS) if any(control.name == "head" for control in view.controls)]
    assert len(with_heads) > 5
    assert [view.name for view in with_heads if "head" in view.selected_by.values()] == []
