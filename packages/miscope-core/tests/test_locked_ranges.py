from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.figures.locked_ranges import lock_ranges


def locked(*figures: go.Figure) -> list[Any]:
    """The layouts of figures that share their ranges."""
    lock_ranges(figures)
    return [figure.layout for figure in figures]


def dots(x: list[float], y: list[float], **more: Any) -> go.Figure:
    return go.Figure(go.Scatter(x=x, y=y, mode="markers", **more))


def test_axes_hold_what_any_frame_shows_and_are_the_same_in_all() -> None:
    first, second = locked(dots([0, 10], [1, 2]), dots([5, 20], [-3, 0]))
    assert first.xaxis.range == second.xaxis.range == (0.0, 21.0)
    assert first.yaxis.range == second.yaxis.range == (-3.25, 2.25)


def test_errors_and_shapes_count() -> None:
    figure = dots([0, 1], [5, 5], error_y={"array": [1, 2], "arrayminus": [3, 0]})
    figure.add_hline(10)
    low, high = locked(figure)[0].yaxis.range
    assert low < 2 < 10 < high


def test_the_cells_of_a_grid_fill_the_axes_and_keep_their_direction() -> None:
    grid = go.Figure(go.Heatmap(z=[[1, 2, 3], [4, 5, 6]]), layout_yaxis_autorange="reversed")
    (layout,) = locked(grid)
    assert (layout.xaxis.range, layout.yaxis.range) == ((-0.5, 2.5), (1.5, -0.5))


def test_a_logarithmic_axis_is_locked_in_powers_of_ten() -> None:
    figures = [dots([0], [y]).update_yaxes(type="log") for y in (1e-3, 1e2)]
    for layout in locked(*figures, dots([0], [0]).update_yaxes(type="log")):
        assert layout.yaxis.range == pytest.approx((-3.25, 2.25))


def test_bars_stand_on_zero_and_are_stacked_where_they_are() -> None:
    pair = [go.Bar(x=[0, 1], y=[1, 4]), go.Bar(x=[0, 1], y=[2, 2])]
    (beside,) = locked(go.Figure(pair))
    (stacked,) = locked(go.Figure(pair, layout_barmode="stack"))
    assert beside.yaxis.range == pytest.approx((0, 4.2))
    assert stacked.yaxis.range == pytest.approx((0, 6.3))
    unsure = [go.Bar(x=[0, 1], y=[1, 8], error_y={"array": [np.nan, 2]})]
    assert locked(go.Figure(unsure))[0].yaxis.range == pytest.approx((0, 10.5))
    (powers,) = locked(go.Figure(go.Bar(x=[0, 1], y=[10, 1000]), layout_yaxis_type="log"))
    assert powers.yaxis.range[0] < np.log10(10) - 0.3
    assert beside.xaxis.range[0] < -0.5
    assert beside.xaxis.range[1] > 1.5


def test_all_names_are_on_an_axis_of_names_in_every_frame() -> None:
    figures = [go.Figure(go.Bar(x=names, y=[1] * len(names))) for names in (["k=1", "k=2"], ["k=3", "k=1"])]
    for figure in figures:
        figure.update_xaxes(type="category")
    for layout in locked(*figures):
        assert layout.xaxis.categoryarray == ("k=1", "k=2", "k=3")
        assert layout.xaxis.range == (-0.5, 2.5)


def test_ranges_that_the_view_sets_are_widened_to_each_other() -> None:
    figures = [dots([0], [0]).update_yaxes(range=ends) for ends in ([0, 1], [0.5, 2])]
    assert {layout.yaxis.range for layout in locked(*figures)} == {(0, 2)}
    descending = [dots([0], [0]).update_yaxes(range=ends) for ends in ([1, 0], [2, 0.5])]
    assert {layout.yaxis.range for layout in locked(*descending)} == {(2, 0)}


def test_colours_mean_the_same_in_every_frame() -> None:
    def grid(z: list[float], **scale: Any) -> go.Figure:
        return go.Figure(go.Heatmap(z=[z], coloraxis="coloraxis"), layout_coloraxis=scale)

    plain = locked(grid([0, 1]), grid([-2, np.nan]))
    assert {(layout.coloraxis.cmin, layout.coloraxis.cmax) for layout in plain} == {(-2.0, 1.0)}
    around = locked(grid([0, 1], cmid=0), grid([-2, 0], cmid=0))
    assert {(layout.coloraxis.cmin, layout.coloraxis.cmax) for layout in around} == {(-2.0, 2.0)}
    given = locked(grid([9], cmin=0, cmax=1), grid([9], cmin=0, cmax=3))
    assert {(layout.coloraxis.cmin, layout.coloraxis.cmax) for layout in given} == {(0, 3)}
    own = [go.Figure(go.Heatmap(z=[[value]])) for value in (1.0, 5.0)]
    lock_ranges(own)
    assert {(figure.data[0].zmin, figure.data[0].zmax) for figure in own} == {(1.0, 5.0)}


def test_what_is_not_known_is_left_alone() -> None:
    (histogram,) = locked(go.Figure(go.Histogram(x=[1, 2, 2])))
    assert histogram.xaxis.range is None
    (table,) = locked(go.Figure(go.Table(header={"values": ["a"]}, cells={"values": [[1]]})))
    assert "xaxis" not in table.to_plotly_json()
    (empty,) = locked(go.Figure(go.Scatter(x=[], y=[])))
    assert empty.xaxis.range is None
