"""What lies on what in a figure of a card's size, by its layout alone; and whether it shows where a step is."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.testing.figure_layout import Frame, crowded, far_from_bar, framed, panel_sizes
from miscope.testing.step_marks import marks_steps, tells_values

FRAME = Frame(488, 400, left=64, right=24, top=30, bottom=70)
"""A plot of 400 by 300."""


def two_rows(gap: float, **more: Any) -> dict[str, Any]:
    """One panel above another."""
    half = (1 - gap) / 2
    return {
        "xaxis": {"anchor": "y", "title": {"text": "key"}},
        "xaxis2": {"anchor": "y2"},
        "yaxis": {"anchor": "x", "domain": [1 - half, 1]},
        "yaxis2": {"anchor": "x2", "domain": [0, half]},
        "annotations": [{"text": "L0H2", "x": 0.5, "y": half, "xref": "paper", "yref": "paper", "yanchor": "bottom"}],
        **more,
    }


def side_by_side(*titles: str) -> dict[str, Any]:
    """Panels of half the width, less a fifth between them."""
    axes: dict[str, Any] = {}
    for i, title in enumerate(titles):
        suffix = str(i + 1) if i else ""
        axes[f"xaxis{suffix}"] = {"anchor": f"y{suffix}", "domain": [0.6 * i, 0.6 * i + 0.4], "title": {"text": title}}
        axes[f"yaxis{suffix}"] = {"anchor": f"x{suffix}"}
    return axes


def test_panels_are_as_large_as_their_share_of_the_plot():
    sizes = panel_sizes(side_by_side("a", "b"), FRAME)
    assert sizes == {"xy": pytest.approx((160, 300)), "x2y2": pytest.approx((160, 300))}


def test_a_title_of_a_panel_lies_on_the_axis_of_the_one_above_where_there_is_no_room_for_both():
    assert crowded([], two_rows(0.2), FRAME) == []
    assert crowded([], two_rows(0.1), FRAME) == [
        "title below of xy on panel x2y2",
        "title below of xy on 'L0H2' of x2y2",
    ]


def test_titles_of_axes_that_stand_beside_each_other_run_into_each_other_where_they_are_long():
    assert crowded([], side_by_side("rank", "s²"), FRAME) == []
    long = side_by_side(
        "a title of more than two hundred and fifty pixels", "a title of more than two hundred and fifty pixels"
    )
    assert crowded([], long, FRAME) == ["title below of xy on title below of x2y2"]


def test_names_left_of_a_panel_lie_on_the_one_beside_it_where_they_are_long():
    rows = {"type": "bar", "yaxis": "y2", "y": ["a row of a long name"]}
    assert crowded([{**rows, "y": ["short"]}], side_by_side("", ""), FRAME) == []
    assert crowded([rows], side_by_side("", ""), FRAME) == ["numbers left of x2y2 on panel xy"]


def test_what_is_said_above_a_plot_lies_on_the_colour_bar_that_a_card_lays_there():
    over = {"coloraxis": {"colorbar": {"title": {"text": "share"}}}, "meta": {"miscope": {"time_axis": "x"}}}
    note = {"text": "3 values are not drawn", "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom"}
    left, right = (
        {**over, "annotations": [{**note, "x": x, "xanchor": side}]} for x, side in ((0, "left"), (1, "right"))
    )
    assert crowded([], left, FRAME) == []
    assert crowded([], right, FRAME) == ["'3 values are not drawn' of xy on the colour bar of the figure"]


def test_a_card_is_as_high_as_the_rows_of_its_panels_need():
    assert framed(side_by_side("", "")).height == 340
    assert framed(two_rows(0.1)).height == 420


def test_a_square_map_amid_a_wide_figure_is_far_from_its_bar_and_beside_it_is_not():
    heat, bar = {"type": "heatmap", "z": np.zeros((5, 5))}, {"coloraxis": {}}
    square = {"yaxis": {"scaleanchor": "x", "constrain": "domain"}, **bar}
    amid, beside = ({**square, "xaxis": {"constrain": "domain", **more}} for more in ({}, {"constraintoward": "right"}))
    assert far_from_bar([heat], amid, FRAME) == pytest.approx(50)
    assert far_from_bar([heat], beside, FRAME) == 0
    assert far_from_bar([heat], {"yaxis": {}, "xaxis": {}, **bar}, FRAME) == 0


def figure(trace: dict[str, Any], *axes: str) -> go.Figure:
    return go.Figure([trace]).update_layout(meta={"miscope": {"time_axes": axes}})


def test_a_curve_over_steps_is_marked_and_told_unless_nobody_hovers_over_it():
    curve = {"type": "scatter", "x": [0, 10], "y": [1, 2]}
    assert (marks_steps(figure(curve, "x")), tells_values(figure(curve, "x"))) == (True, True)
    assert (marks_steps(figure(curve)), tells_values(figure(curve))) == (False, False)
    unseen = figure({**curve, "hoverinfo": "skip"}, "x")
    assert (marks_steps(unseen), tells_values(unseen)) == (True, False)


def test_a_path_is_marked_by_its_points_and_what_counts_steps_twice_has_no_value_at_one():
    path = figure({"type": "scatter", "x": [1, 2], "y": [1, 2], "customdata": [0, 10], "meta": {"steps": "customdata"}})
    assert (marks_steps(path), tells_values(path)) == (True, True)
    both = figure({"type": "heatmap", "z": [[1, 2], [2, 1]]}, "x", "y")
    assert (marks_steps(both), tells_values(both)) == (True, False)
