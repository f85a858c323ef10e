from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pyarrow.parquet as pq
import pytest
from plotly.subplots import make_subplots

from miscope.errors import BadValue
from miscope.figures.export import export
from miscope.figures.figure_numbers import figure_arrays, figure_table, npz, numbers

LOSSES = go.Figure(
    [
        go.Scatter(x=[0, 10], y=np.float32([0.1, 2]), name="train"),
        go.Scatter(x=[0], y=np.float32([3.5]), name="test"),
    ],
    layout={"xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": "loss<br>(nats)"}}},
)
GRID = go.Figure(
    go.Heatmap(z=[[1, 2, 3], [4, 5, None]], x=["a", "b", "c"], coloraxis="coloraxis"),
    layout={"coloraxis": {"colorbar": {"title": {"text": "activation"}}}, "yaxis": {"title": {"text": "neuron"}}},
)


def rows(figure: go.Figure) -> list[list[str]]:
    return list(csv.reader(io.StringIO(numbers(figure))))


def test_curves_are_points_under_their_names() -> None:
    assert rows(LOSSES) == [
        ["trace", "epoch", "loss (nats)"],
        ["train", "0", "0.1"],
        ["train", "10", "2.0"],
        ["test", "0", "3.5"],
    ]


def test_a_heat_map_is_a_row_a_cell_with_its_coordinates() -> None:
    assert rows(GRID) == [
        ["column", "neuron", "activation"],
        ["a", "0", "1.0"],
        ["b", "0", "2.0"],
        ["c", "0", "3.0"],
        ["a", "1", "4.0"],
        ["b", "1", "5.0"],
        ["c", "1", ""],
    ]


def test_a_heat_map_is_one_array_beside_its_axes_and_a_curve_two() -> None:
    grid, curves = figure_arrays(GRID), figure_arrays(LOSSES)
    assert [(name, array.shape) for name, array in grid.items()] == [
        ("column", (3,)),
        ("neuron", (2,)),
        ("activation", (2, 3)),
    ]
    assert list(curves) == ["train/epoch", "train/loss (nats)", "test/epoch", "test/loss (nats)"]
    assert curves["train/loss (nats)"].tolist() == np.float32([0.1, 2]).tolist()


def test_an_npz_is_read_without_unpickling_and_says_what_it_shows(tmp_path: Path) -> None:
    figure = go.Figure(GRID)
    figure.update_layout(title="Units", meta={"miscope": {"view": "units.map", "variant": "toy.sum/p5", "step": 3}})
    with np.load(export(figure, tmp_path / "units.npz"), allow_pickle=False) as file:
        read = {name: file[name] for name in file.files}
        about = json.loads(file.zip.comment)
    assert about == {"title": "Units", "view": "units.map", "variant": "toy.sum/p5", "step": 3}
    assert read["column"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(read["activation"], [[1, 2, 3], [4, 5, np.nan]])


def test_a_parquet_file_has_the_same_columns_with_null_where_there_is_nothing(tmp_path: Path) -> None:
    table = pq.read_table(export(GRID, tmp_path / "grid.parquet"))
    assert table.to_pydict() == {
        "column": ["a", "b", "c", "a", "b", "c"],
        "neuron": [0, 0, 0, 1, 1, 1],
        "activation": [1.0, 2.0, 3.0, 4.0, 5.0, None],
    }
    assert json.loads(table.schema.metadata[b"miscope"]) == {"title": ""}
    curves = pq.read_table(export(LOSSES, tmp_path / "losses.parquet"))
    assert str(curves.schema.field("epoch").type) == "int64"
    assert curves["trace"].to_pylist() == ["train", "train", "test"]


def test_a_figure_that_came_as_json_has_the_same_numbers() -> None:
    z = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    bars = go.Bar(x=np.arange(3), y=np.ones(3), error_y={"array": np.full(3, 0.25)})
    figure = go.Figure([go.Heatmap(z=z, x=np.arange(3) * 10), bars])
    again = go.Figure(json.loads(figure.to_json()))
    assert rows(again) == rows(figure)
    for name, array in figure_arrays(figure).items():
        np.testing.assert_array_equal(figure_arrays(again)[name], array)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_a_grid_in_double_precision_comes_back_bit_by_bit(suffix: str, tmp_path: Path) -> None:
    z = np.random.default_rng(0).normal(size=(7, 5))
    path = export(go.Figure(go.Heatmap(z=z)), tmp_path / f"grid.{suffix}")
    if suffix == "npz":
        back = np.load(path, allow_pickle=False)["value"]
    elif suffix == "parquet":
        back = np.array(pq.read_table(path)["value"].to_pylist()).reshape(7, 5)
    else:
        back = np.array([float(line.split(",")[-1]) for line in path.read_text().splitlines()[1:]]).reshape(7, 5)
    assert (back == z).all()


def test_panels_are_told_apart_by_their_titles_where_their_columns_are_the_same() -> None:
    figure = make_subplots(1, 2, subplot_titles=["head 0", ""])
    figure.add_scatter(y=[1], row=1, col=1)
    figure.add_scatter(y=[2], row=1, col=2)
    assert rows(figure) == [["panel", "horizontal", "vertical"], ["head 0", "0", "1"], ["panel 2", "0", "2"]]
    assert list(figure_arrays(figure)) == [
        "head 0/horizontal",
        "head 0/vertical",
        "panel 2/horizontal",
        "panel 2/vertical",
    ]


def test_panels_with_axes_of_their_own_have_columns_of_their_own() -> None:
    figure = make_subplots(2, 1, shared_xaxes=True)
    for row, title in ((1, "loss"), (2, "accuracy")):
        figure.add_scatter(x=[5], y=[row], name="train", row=row, col=1)
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_xaxes(title_text="step", row=2, col=1)
    assert rows(figure) == [
        ["trace", "step", "loss", "accuracy"],
        ["train", "5", "1", ""],
        ["train", "5", "", "2"],
    ]
    assert list(figure_arrays(figure)) == ["train/step", "train/loss", "train (2)/step", "train (2)/accuracy"]
    assert str(figure_table(figure).schema.field("loss").type) == "int64"


def test_a_table_is_written_as_itself() -> None:
    table = go.Table(header={"values": ["neuron", "<b>k</b>"]}, cells={"values": [[0, 1], [14, 35]]})
    assert rows(go.Figure(table)) == [["neuron", "k"], ["0", "14"], ["1", "35"]]


def test_nothing_drawn_is_no_rows() -> None:
    assert rows(go.Figure()) == [[]]
    assert figure_table(go.Figure()).num_columns == 0
    assert npz(go.Figure())[:2] == b"PK"


def test_a_figure_is_exported_as_csv_by_its_suffix_without_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere")
    figure = go.Figure(go.Scatter(y=[1.5], name="loss, mean"))
    written = export(figure, tmp_path / "loss.csv").read_text()
    assert written == 'trace,horizontal,vertical\n"loss, mean",0,1.5\n'


def test_a_figure_that_has_neither_points_nor_cells_says_so(tmp_path: Path) -> None:
    pie = go.Figure(go.Pie(labels=["a"], values=[1]))
    for suffix in ("csv", "parquet", "npz"):
        with pytest.raises(BadValue) as error:
            export(pie, tmp_path / f"pie.{suffix}")
        assert str(error.value) == (
            "The numbers of a figure with a trace of type 'pie' cannot be written.\n"
            "What is written is where points are and what the cells of a grid hold, and it has neither.\n"
            "Write it as .html, which holds all that it draws."
        )
    assert list(tmp_path.iterdir()) == []
