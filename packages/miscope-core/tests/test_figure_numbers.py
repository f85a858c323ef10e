import csv
import io
import json

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from miscope.figures.export import export
from miscope.figures.figure_numbers import numbers


def rows(figure):
    return list(csv.reader(io.StringIO(numbers(figure))))


def test_curves_are_points_under_their_names():
    figure = go.Figure([go.Scatter(x=[0, 10], y=np.float32([0.1, 2]), name="train"), go.Scatter(y=[3], name="test")])
    assert rows(figure) == [["trace", "x", "y"], ["train", "0", "0.1"], ["train", "10", "2.0"], ["test", "0", "3"]]


def test_a_heat_map_is_a_row_a_pixel_with_its_coordinates():
    figure = go.Figure(go.Heatmap(z=[[1, 2, 3], [4, 5, None]], x=["a", "b", "c"]))
    assert rows(figure) == [
        ["x", "y", "z"],
        ["a", "0", "1"],
        ["b", "0", "2"],
        ["c", "0", "3"],
        ["a", "1", "4"],
        ["b", "1", "5"],
        ["c", "1", ""],
    ]


def test_a_figure_that_came_as_json_has_the_same_numbers():
    z = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    bars = go.Bar(x=np.arange(3), y=np.ones(3), error_y={"array": np.full(3, 0.25)})
    figure = go.Figure([go.Heatmap(z=z, x=np.arange(3) * 10), bars])
    assert rows(go.Figure(json.loads(figure.to_json()))) == rows(figure)


def test_a_grid_in_double_precision_comes_back_bit_by_bit():
    z = np.random.default_rng(0).normal(size=(7, 5))
    back = np.array([float(row[-1]) for row in rows(go.Figure(go.Heatmap(z=z)))[1:]]).reshape(7, 5)
    assert (back == z).all()


def test_panels_are_told_apart_where_there_are_several():
    figure = make_subplots(1, 2)
    figure.add_scatter(y=[1], row=1, col=1)
    figure.add_scatter(y=[2], row=1, col=2)
    assert rows(figure) == [["panel", "x", "y"], ["x", "0", "1"], ["x2", "0", "2"]]


def test_columns_are_called_what_the_axes_and_the_colours_are() -> None:
    figure = go.Figure(go.Heatmap(z=[[1, 2]], colorbar={"title": "activation"}))
    figure.update_layout(xaxis_title="b", yaxis_title="a<br>(first)")
    assert rows(figure)[0] == ["b", "a (first)", "activation"]
    figure.update_layout(yaxis_title="b")
    assert rows(figure)[0] == ["x", "y", "z"]


def test_panels_with_axes_of_their_own_keep_plain_columns() -> None:
    figure = make_subplots(1, 2)
    figure.add_scatter(y=[1], row=1, col=1)
    figure.add_scatter(y=[2], row=1, col=2)
    figure.update_xaxes(title_text="p", row=1, col=1)
    figure.update_xaxes(title_text="q", row=1, col=2)
    assert rows(figure)[0] == ["panel", "x", "y"]


def test_errors_texts_and_a_third_dimension_come_along():
    bars = go.Bar(x=["k=1"], y=[2.0], error_y={"array": [0.5]}, text=["two"])
    assert rows(go.Figure(bars)) == [["x", "y", "error", "text"], ["k=1", "2.0", "0.5", "two"]]
    assert rows(go.Figure(go.Scatter3d(x=[1], y=[2], z=[3], text="all"))) == [["x", "y", "z"], ["1", "2", "3"]]


def test_a_table_is_written_as_itself():
    table = go.Table(header={"values": ["neuron", "k"]}, cells={"values": [[0, 1], [14, 35]]})
    assert rows(go.Figure(table)) == [["neuron", "k"], ["0", "14"], ["1", "35"]]


def test_nothing_drawn_is_no_rows():
    assert rows(go.Figure()) == [[]]


def test_a_figure_is_exported_as_csv_by_its_suffix_without_a_browser(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere")
    figure = go.Figure(go.Scatter(y=[1.5], name="loss, mean"))
    assert export(figure, tmp_path / "loss.csv").read_text() == 'trace,x,y\n"loss, mean",0,1.5\n'
