from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from miscope import Grain, View, ViewData, hookimpl
from miscope.figures.left_out import note_left_out
from miscope.figures.render import render

LOG = {"type": "log"}


def notes(*traces: Any, clocks: tuple[str, ...] = (), **layout: Any) -> list[str]:
    figure = go.Figure(data=list(traces), layout=layout)
    note_left_out(figure, clocks=clocks)
    return [note.text for note in figure.layout.annotations]


def told(hidden: int, total: int) -> str:
    return f"⚠ {hidden} of {total} values are not above 0 and not drawn on a logarithmic axis"


def test_values_that_a_logarithmic_axis_cannot_place_are_counted():
    curve = go.Scatter(x=[0, 1, 2, 3], y=np.array([1.0, 0.0, -2.0, np.nan]))
    assert notes(curve, yaxis=LOG) == [told(2, 4)]
    assert notes(curve) == []
    assert notes(go.Scatter(y=[1, 2, 0.5]), yaxis=LOG) == []


def test_each_axis_is_asked_for_itself_and_only_what_is_on_logarithmic_ones_is_counted():
    above, below = go.Scatter(y=[0, 1]), go.Scatter(y=[0, 0, 0, 1], yaxis="y2")
    assert notes(above, below, yaxis=LOG) == [told(1, 2)]
    assert notes(above, below, yaxis2=LOG) == [told(3, 4)]
    assert notes(above, below, yaxis=LOG, yaxis2=LOG) == [told(4, 6)]


def test_a_point_off_both_axes_is_one_value():
    assert notes(go.Scatter(x=[-1, 1, 2], y=[0, 0, 1]), xaxis=LOG, yaxis=LOG) == [told(2, 3)]


def test_step_0_of_an_axis_that_counts_steps_is_told_by_its_title():
    curve = go.Scatter(x=[0, 10], y=[1, 2])
    assert notes(curve, xaxis=LOG, clocks=("x",)) == []
    assert notes(curve, xaxis=LOG) == [told(1, 2)]


def test_a_bar_of_nothing_is_not_missed():
    assert notes(go.Bar(y=[0, 5]), yaxis=LOG) == []
    assert notes(go.Bar(y=[-1, 5]), yaxis=LOG) == [told(1, 2)]


def test_names_and_what_has_no_such_axes_are_passed_over():
    assert notes(go.Scatter(x=["a", "b"], y=[1, 2]), xaxis=LOG) == []
    assert notes(go.Scatter3d(x=[0], y=[0], z=[0]), go.Table(), go.Scatter(), xaxis=LOG, yaxis=LOG) == []


def test_beside_a_note_of_what_is_not_finite_there_is_room_for_one_line():
    figure = go.Figure(go.Scatter(y=[0, np.nan]), layout={"yaxis": LOG})
    figure.add_annotation(text="⚠ 1 of 2 values are not finite and not drawn")
    note_left_out(figure)
    (note,) = figure.layout.annotations
    assert note.text == f"⚠ 1 of 2 values are not finite and not drawn · {told(1, 2)[2:]}"


def draw(shown: ViewData) -> go.Figure:
    """A loss of nothing."""
    return go.Figure(go.Scatter(x=[0, 10], y=[1, 0]), layout={"yaxis": LOG, "xaxis": LOG})


@hookimpl
def miscope_views():
    yield View(name="test.loss", title="Loss", grain=Grain.TRAJECTORY, draw=draw, time_axis="x")


def test_a_view_of_any_package_is_given_the_note_where_it_is_drawn(workspace: Callable[..., Any]):
    bound = workspace(test=sys.modules[__name__]).variant("toy.sum")
    bound.workspace.store.save_variant(bound.value)
    bound.workspace.store.append_metrics(bound.name, [(0, "test_loss", 1.0)])
    (note,) = render(bound.workspace.value, "test.loss", bound.value).layout.annotations
    assert note.text == told(1, 2)
    assert (note.xanchor, note.yanchor, note.showarrow) == ("right", "bottom", False)
