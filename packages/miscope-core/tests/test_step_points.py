from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Grain, View, ViewData
from miscope.family import make_variant
from miscope.figures.render import draw
from miscope.testing import ToyFamily
from miscope.view import Member

STEPS = np.array([0, 10, 1000])
SHOWN = ViewData(variant=make_variant(ToyFamily(), {}), step=None, steps=STEPS)
PATH = {"type": "scatter", "mode": "lines+markers", "x": [3, 1, 2], "y": [1, 2, 0]}


def said(trace: dict[str, Any], *, shown: ViewData = SHOWN, grain: Grain = Grain.TRAJECTORY, **more: Any) -> Any:
    """What the trace says of its points once core has drawn it."""
    view = View(name="test.view", title="T", grain=grain, draw=lambda shown: go.Figure([trace]), **more)
    return draw(view, shown, {}).data[0].meta


@pytest.mark.parametrize(
    "trace",
    [
        {**PATH, "customdata": STEPS},
        {**PATH, "customdata": STEPS[1:], "x": [1, 2], "y": [2, 0]},
        {**PATH, "customdata": [[0, 0.5], [10, 0.2], [1000, 0.1]]},
        {**PATH, "customdata": [0, 10, np.nan, 0, 10], "x": [3, 1, np.nan, 2, 2], "y": [1, 2, np.nan, 0, 1]},
        {**PATH, "type": "scatter3d", "z": [0, 0, 1], "customdata": STEPS},
    ],
    ids=["a path", "of some steps", "with more numbers", "two in one trace", "in space"],
)
def test_a_path_says_which_steps_its_points_are(trace):
    assert said(trace) == {"steps": "customdata"}


@pytest.mark.parametrize(
    "trace",
    [
        PATH,
        {**PATH, "customdata": [0, 10, 11]},
        {**PATH, "customdata": [10, 10, 10]},
        {**PATH, "customdata": ["0", "10", "1000"]},
        {**PATH, "customdata": [[0, 1], [10], [1000]]},
        {**PATH, "mode": "markers", "customdata": STEPS},
        {"type": "heatmap", "z": [[1, 2, 3]], "customdata": [[0, 10, 1000]]},
    ],
    ids=["without numbers", "no checkpoint", "one of them", "texts", "uneven", "loose points", "a heat map"],
)
def test_nothing_else_says_so(trace):
    assert said(trace) is None


def test_a_curve_over_steps_is_no_path():
    curve = {**PATH, "x": STEPS, "customdata": STEPS}
    assert (said(curve), said(curve, time_axis="x")) == ({"steps": "customdata"}, None)


def test_paths_of_several_variants_have_the_steps_of_any():
    other = ViewData(variant=SHOWN.variant, step=None, steps=np.array([0, 7, 14]))
    both = ViewData(
        variant=SHOWN.variant,
        step=None,
        steps=STEPS,
        members=(Member(label="seed=0", shown=SHOWN), Member(label="seed=1", shown=other)),
    )
    trace = {**PATH, "customdata": [0, 7, 14]}
    assert said(trace) is None
    assert said(trace, shown=both, grain=Grain.COHORT) == {"steps": "customdata"}
