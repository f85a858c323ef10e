"""`workspace.compared`: figures of several variants put together, drawn by the line that says so, and reported."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, ViewData, hookimpl
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.figures.comparing.how_compared import HowCompared
from miscope.figures.comparing.in_python import compared_in_python
from miscope.figures.figure_numbers import figure_columns
from miscope.reporting.asked_figure import AskedFigure
from miscope.testing import tables


def losses(shown: ViewData) -> go.Figure:
    """Loss of every step."""
    curves = [go.Scatter(x=series.steps, y=series.values, name=name) for name, series in shown.metrics.items()]
    return go.Figure(curves).update_layout(yaxis_title="loss")


def norms(shown: ViewData) -> go.Figure:
    """Norm of every weight, at the step."""
    found = {name: float(array) for name, array in shown.artifacts["parameters.norms"].items() if np.ndim(array) == 0}
    return go.Figure(go.Bar(x=list(found), y=list(found.values())))


def together(shown: ViewData) -> go.Figure:
    """Nothing."""
    return go.Figure()


VIEWS = (
    View(
        name="toy.losses",
        title="Losses",
        grain=Grain.TRAJECTORY,
        draw=losses,
        needs=Needs(metrics=("test_loss",)),
        time_axis="x",
    ),
    View(name="toy.norms", title="Norms", grain=Grain.CHECKPOINT, draw=norms, needs=Needs(reads=("parameters.norms",))),
    View(name="toy.together", title="Together", grain=Grain.COHORT, draw=together),
)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> BoundWorkspace:
    """Two toys, one of 30 steps and one of 60; norms at 0 and 20, and at 0 and 40."""
    offered = types.ModuleType("shown")
    offered.miscope_views = hookimpl(lambda: VIEWS)  # type: ignore[attr-defined]
    workspace = open_bound(tmp_path_factory.mktemp("put-together") / "workspace", tables(shown=offered))
    for seed, steps, at in ((0, 30, [0, 20]), (1, 60, [0, 40])):
        variant = workspace.variant("toy.sum", seed=seed, steps=steps)
        list(variant.train(threads=1))
        variant.analyze("parameters.norms", steps=at)
    return workspace


@pytest.fixture
def both(toys: BoundWorkspace) -> list[BoundVariant]:
    return sorted(toys.variants(), key=lambda one: one.name)


def curves(figure: Any) -> list[Any]:
    return [trace for trace in figure.data if len(trace.x) > 1]


def test_an_overlay_is_one_figure_whose_numbers_say_of_which_variant_they_are(toys, both):
    (figure,) = toys.compared("toy.losses", both)
    assert [trace.name for trace in curves(figure)] == ["seed=0", "seed=1"]
    columns = figure_columns(figure)
    assert {*columns} == {"trace", "epoch", "loss"}
    assert {*columns["trace"]} == {"seed=0", "seed=1"}


def test_by_the_fraction_of_training_both_end_at_one_and_checkpoints_stand_as_far_on(toys, both):
    first, other = toys.compared("toy.losses", both, mode="grid", align="fraction")
    assert [float(curves(figure)[0].x[-1]) for figure in (first, other)] == [1.0, 1.0]
    figures = toys.compared("toy.norms", both, mode="grid", align="fraction", step=20)
    assert [figure.layout.meta["miscope"]["step"] for figure in figures] == [20, 40]


def test_a_difference_is_of_each_of_the_others(toys, both):
    (figure,) = toys.compared("toy.losses", both, mode="difference")
    assert figure.layout.yaxis.title.text == "difference of loss"


def test_what_cannot_be_compared_says_so(toys, both):
    with pytest.raises(BadValue) as refused:
        toys.compared("toy.losses", both, align="grokking")
    assert str(refused.value) == (
        "seed=0 cannot be aligned by 'grokking'.\n"
        "It never happened in this run; what did: none that is dated.\n"
        "Align by what all have: step or fraction."
    )
    with pytest.raises(BadValue) as refused:
        toys.compared("toy.together", both)
    assert str(refused.value) == (
        "'toy.together' is not put together of figures.\n"
        "It compares variants by itself.\n"
        "Draw it:  workspace.view(NAME, variants)"
    )
    with pytest.raises(BadValue) as refused:
        toys.compared("toy.losses", both[:1], mode="difference")
    assert str(refused.value) == (
        "1 variant cannot be compared.\nA difference takes two or more.\nName others beside it."
    )
    with pytest.raises(BadValue) as refused:
        toys.compared("toy.losses", both, mode="sideways")
    assert str(refused.value) == (
        "Variants cannot be compared by 'sideways'.\nThere are overlay, grid and difference.\nTry mode='overlay'."
    )


def test_the_line_of_python_draws_the_figure_that_it_is_of(toys, both):
    how = HowCompared(mode="grid", align="fraction", place=1)
    line = compared_in_python("toy.norms", [one.name for one in both], how, {"step": 20})
    assert line.endswith("], mode='grid', align='fraction', step=20)[1]")
    drawn = eval(line, {"workspace": toys})
    assert drawn.layout.meta["miscope"]["variant"] == both[1].name
    assert drawn.layout.meta["miscope"]["step"] == 40


def test_a_report_has_a_figure_put_together_with_the_line_that_draws_it(toys, both, tmp_path):
    how = HowCompared(align="fraction")
    asked = AskedFigure(view="toy.losses", variants=tuple(one.value for one in both), title="Both", compared=how)
    text = toys.report(both, tmp_path / "report.html", views=[asked]).read_text()
    assert "Figure 1. Both" in text
    assert "align=&#39;fraction&#39;)[0]" in text
    notebook = toys.report(both, tmp_path / "report.ipynb", views=[asked]).read_text()
    assert "workspace.compared('toy.losses'" in notebook
