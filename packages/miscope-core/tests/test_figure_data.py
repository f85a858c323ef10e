from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.figures.figure_data import figure_data
from miscope.figures.hover_names import hover_names


def columns(figure: go.Figure) -> dict[str, list[object]]:
    (one,) = figure_data(figure)
    return {name: column.tolist() for name, column in one.columns.items()}


def test_a_title_of_both_axes_is_told_apart_by_the_axis() -> None:
    figure = go.Figure(go.Heatmap(z=[[0.5]], x=[1], y=[2]), layout_xaxis_title="epoch", layout_yaxis_title="epoch")
    assert columns(figure) == {"epoch (x)": [1], "epoch (y)": [2], "value": [[0.5]]}


def test_axes_without_a_title_are_called_by_what_they_are() -> None:
    assert list(columns(go.Figure(go.Heatmap(z=[[1]])))) == ["column", "row", "value"]
    assert list(columns(go.Figure(go.Bar(x=["L0H0"], y=[1.0])))) == ["name", "vertical"]
    assert list(columns(go.Figure(go.Scatter3d(x=[1], y=[2], z=[3])))) == ["horizontal", "vertical", "depth"]
    assert columns(go.Figure(go.Scatter(name="only in the legend"))) == {"horizontal": [], "vertical": []}
    surface = go.Figure(go.Surface(z=[[1, 2]], x=[0, 1], colorbar_title="loss"), layout_scene_xaxis_title="first")
    assert list(columns(surface)) == ["first", "row", "loss"]


def test_errors_texts_and_widths_come_along() -> None:
    bars = go.Bar(x=["k=1"], y=[2.0], error_y={"array": [0.5]}, text=["<b>two</b>"], width=[0.8])
    figure = go.Figure(bars, layout_yaxis_title="loss")
    assert columns(figure) == {"name": ["k=1"], "loss": [2.0], "error of loss": [0.5], "width": [0.8], "label": ["two"]}
    dots = go.Scatter(x=[1], y=[2], text="all", error_x={"array": [3], "arrayminus": [4], "symmetric": False})
    assert columns(go.Figure(dots)) == {
        "horizontal": [1],
        "vertical": [2],
        "error of horizontal, above": [3],
        "error of horizontal, below": [4],
    }


def test_colours_with_a_scale_are_a_column_and_plain_ones_are_none() -> None:
    marker = {"color": [10, 20], "coloraxis": "coloraxis"}
    figure = go.Figure(
        go.Scatter(x=[1, 2], y=[3, 4], marker=marker), layout_coloraxis={"colorbar": {"title": {"text": "epoch"}}}
    )
    assert columns(figure)["epoch"] == [10, 20]
    assert list(columns(go.Figure(go.Scatter(y=[1, 2], marker={"color": ["red", "blue"]})))) == [
        "horizontal",
        "vertical",
    ]


def test_custom_numbers_are_called_by_the_words_they_are_shown_with_once() -> None:
    path = go.Scatter(
        x=[0, 1], y=[0, 2], customdata=[[7, 0.5], [8, 0.25]], hovertemplate="epoch %{customdata[0]:,}<br>at %{x}"
    )
    assert columns(go.Figure(path)) == {"horizontal": [0, 1], "vertical": [0, 2], "epoch": [7, 8]}
    path.marker = {"color": [7, 8], "colorbar": {"title": {"text": "epoch"}}}
    assert columns(go.Figure(path)) == {"horizontal": [0, 1], "vertical": [0, 2], "epoch": [7, 8]}


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("neuron %{customdata}<br>frequency %{y}", {0: "neuron"}),
        ("%{customdata:,} inputs in all<extra>%{customdata[1]}</extra>", {0: "inputs"}),
        ("median of %{customdata} variants: %{y:.4g}", {0: "variants"}),
        ("%{z:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]", {0: "from", 1: "to"}),
        ("%{y:.2%} ± %{customdata:.2%} at epoch %{x}", {0: "plus or minus"}),
        ("seed=1, epoch %{customdata:,}", {0: "epoch"}),
        ("|λ| = %{customdata[0]}<br>period %{customdata[1]} epochs", {0: "|λ|", 1: "period"}),
        ("%{y}%{customdata}", {0: "detail"}),
        ("%{x}", {}),
    ],
)
def test_a_custom_number_is_named_by_the_words_beside_it(template: str, names: dict[int, str]) -> None:
    assert hover_names(template) == names


def test_the_edges_of_a_band_are_told_by_their_curve_and_nameless_ones_by_their_number() -> None:
    edge, fill = {"x": [0], "legendgroup": "W_E"}, {"fill": "tonexty"}
    band = [go.Scatter(**edge, y=[1]), go.Scatter(**edge, y=[3], **fill), go.Scatter(x=[0], y=[2], name="W_E")]
    others = [go.Scatter(x=[0], y=[5]), go.Scatter(x=[0], y=[6]), go.Scatter(x=[0], y=[7], name="W_E")]
    names = [one.trace for one in figure_data(go.Figure([*band, *others]))]
    assert names == ["W_E, from", "W_E, to", "W_E", "trace 4", "trace 5", "W_E (2)"]


def test_what_nobody_sees_or_hovers_over_is_no_number_of_the_figure() -> None:
    seen = {"type": "scatter", "x": [0, 1], "y": [1.0, 2.0], "name": "seen"}
    unseen = {"type": "scatter", "x": [0, 1], "y": [1.0, 2.0], "customdata": [0, 10], "opacity": 0, "hoverinfo": "skip"}
    assert [one.trace for one in figure_data(go.Figure([seen, unseen]))] == ["seen"]


def test_traces_of_unequal_columns_are_cut_to_the_points_that_are_drawn() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[4.0, 5.0], text=["only"]))
    assert columns(figure) == {"horizontal": [1, 2], "vertical": [4.0, 5.0], "label": ["only", None]}


def test_cells_given_by_their_edges_have_their_middles() -> None:
    (one,) = figure_data(go.Figure(go.Heatmap(z=[[1.0, 2.0]], x=[0, 10, 20], y0=5, dy=2)))
    assert {name: column.tolist() for name, column in one.long().items()} == {
        "column": [5.0, 15.0],
        "row": [5, 5],
        "value": [1.0, 2.0],
    }
    assert one.grid == ("row", "column")


def test_a_column_of_text_in_one_trace_and_of_numbers_in_another_is_text() -> None:
    from miscope.figures.figure_numbers import figure_columns

    figure = go.Figure([go.Bar(x=["none"], y=[1]), go.Bar(x=[2], y=[np.nan])], layout_xaxis_title="frequency")
    assert figure_columns(figure)["frequency"].tolist() == ["none", "2"]
