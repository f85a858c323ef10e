from __future__ import annotations

import numpy as np
import pytest

import miscope_views
from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.render import render
from miscope.testing import ToyFamily, scene, tables
from miscope_views.dynamics import VIEWS, modes, residual

SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=np.arange(4) * 10,
    step_label="epoch",
    artifacts={
        "dynamics.modes": {
            "at": np.arange(4) * 10.0,
            "all/eigenvalue": np.array([[0.9, 0.3], [0.9, -0.3]]),
            "all/covariance": np.tile(0.01 * np.eye(2), (2, 1, 1)),
            "all/modulus": np.array([0.95, 0.95]),
            "all/period": np.array([200.0, 200.0]),
            "all/rate": np.array([-0.005, -0.005]),
            "all/amplitude": np.array([2.0, 1.0]),
            "all/oscillates": np.array([True, True]),
            "all/null_imaginary": np.array(0.1),
            "all/drift_imaginary": np.array(0.05),
            "all/pull_imaginary": np.array(0.2),
            "all/residual": np.array([0.1, 0.5, 0.1]),
            "all/null_residual": np.array([[0.6] * 3, [0.7] * 3, [0.8] * 3]),
            "all/median_residual": np.array(0.1),
            "all/verdict": np.array(["1 oscillatory mode"]),
        }
    },
)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_view_of_dynamics_draws_a_trained_toy(view):
    with scene(ToyFamily(), tables(views=miscope_views), steps=20) as place:
        variant = place.variants[0]
        assert list(variant.analyze("dynamics.modes"))
        assert render(place.workspace, view.name, variant.value).data


def test_eigenvalues_lie_in_the_plane_with_their_ellipses_above_what_walks_reach():
    figure = modes(SHOWN, group="all", whole=False)
    circle, first, _, dots = figure.data

    assert np.hypot(circle.x, circle.y) == pytest.approx(1)
    assert max(first.x) == pytest.approx(0.9 + np.sqrt(5.991) * 0.1, abs=1e-3)
    assert list(dots.y) == pytest.approx([0.3, -0.3])
    assert figure.layout.shapes[0].y1 == 0.2
    assert figure.layout.yaxis.range[1] == pytest.approx(0.42)
    assert "1 oscillatory mode" in figure.layout.title.subtitle.text


def test_the_residual_stands_at_the_later_checkpoint_beside_the_walks_band():
    low, high, curve = residual(SHOWN, group="all").data

    assert list(curve.x) == [10, 20, 30]
    assert (low.y[0], high.y[0]) == pytest.approx((0.6, 0.8))
