"""Figures as a paper has them: width in millimetres, letters in points, white, without a title."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope.errors import BadValue
from miscope.figures.export import export
from miscope.figures.figure_style import template
from miscope.figures.paper import Paper, on_paper, read_paper


def figure(**layout):
    made = go.Figure(go.Scatter(x=[0, 1], y=[1, 2], name="loss"))
    made.add_annotation(text="here", x=0, y=1, font={"size": 24})
    return made.update_layout(template=template("dark"), title_text="Losses", **layout)


def test_a_preset_is_a_width_and_the_size_of_letters():
    assert read_paper("paper") == Paper(width=85, font=8)
    assert read_paper("paper:178mm") == Paper(width=178)
    assert read_paper("paper:2in:9pt") == Paper(width=50.8, font=9)
    assert read_paper("paper:12cm") == Paper(width=120)


@pytest.mark.parametrize("text", ["poster", "paper:85", "paper:5mm", "paper:85mm:100pt", "paper:8pt:85mm"])
def test_another_preset_is_refused(text):
    with pytest.raises(BadValue) as refused:
        read_paper(text)
    assert str(refused.value) == (
        f"There is no preset {text!r}.\n"
        "It is 'paper', then a width of 20 to 1000 mm (mm, cm or in), then letters of 3 to 40 pt.\n"
        "Try paper:85mm:8pt."
    )


def test_the_figure_has_that_width_and_those_letters_on_white_and_no_title():
    before = figure(width=800, height=400)
    made = on_paper(before, Paper(width=127, font=9))
    layout = made.layout
    assert (layout.width, layout.height) == (480, 240)
    assert layout.template.layout.font.size == 12
    assert layout.annotations[0].font.size == 24
    assert (layout.paper_bgcolor, layout.plot_bgcolor, layout.title.text) == ("white", "white", None)
    half = on_paper(before, Paper(width=127, font=4.5)).layout
    assert (half.template.layout.font.size, half.annotations[0].font.size) == (6, 12)
    assert before.layout.title.text == "Losses"


def test_a_drawing_is_as_wide_as_the_paper_says(tmp_path, chromium_path):
    text = export(figure(), tmp_path / "a.svg", preset="paper:127mm").read_text()
    assert 'width="480"' in text
    assert "Losses" not in text


def test_numbers_have_no_width(tmp_path):
    with pytest.raises(BadValue, match=r"^A preset is of pictures"):
        export(figure(), tmp_path / "a.csv", preset="paper")


def events(*steps, name="onset of test loss fall"):
    label = {"textangle": -90, "textposition": "end", "xanchor": "right", "yanchor": "bottom"}
    line = {"type": "line", "name": "event", "xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    return [{**line, "x0": step, "x1": step, "label": {**label, "text": f"{name} {step:,}"}} for step in steps]


def course(*names, shapes=()):
    curves = [go.Scatter(x=np.arange(0, 1601, 100), y=np.arange(17), name=name) for name in names]
    return go.Figure(curves).update_layout(template=template("light"), title_text="Losses", shapes=shapes)


def test_where_no_title_and_no_legend_stand_nothing_is_kept_free_for_them():
    assert on_paper(course("loss"), Paper()).layout.margin.t < 5
    assert on_paper(figure(), Paper()).layout.margin.t == pytest.approx(30 * 8 * 96 / 72 / 12)


def test_the_legend_stands_in_rows_above_the_panels_which_stay_as_high_as_they_were():
    alone, layout = (on_paper(course(*names), Paper()).layout for names in (("a",), ("train", "test")))
    assert (layout.legend.orientation, layout.legend.yref, layout.legend.yanchor) == ("h", "container", "top")
    many = on_paper(course(*(f"curve {number}" for number in range(12))), Paper()).layout
    assert many.height - many.margin.t == pytest.approx(Paper().pixels * 440 / 760 - 30 * 8 * 96 / 72 / 12)
    assert many.margin.t > layout.margin.t > alone.margin.t
    placed = course("train", "test").update_layout(legend={"x": 0.5, "y": 0.5})
    assert on_paper(placed, Paper()).layout.legend.orientation is None


def test_names_of_events_lie_above_the_panels_in_a_word_each_in_as_many_rows_as_they_need():
    shapes = on_paper(course("loss", shapes=events(100, 870, 900)), Paper()).layout.shapes
    assert [shape.label.text.rstrip("<br>\u00a0") for shape in shapes] == ["onset"] * 3
    assert [shape.label.text.count("<br>") for shape in shapes] == [0, 0, 1]
    assert {shape.label.textangle for shape in shapes} == {0}
    crowd = on_paper(course("loss", shapes=events(870, 871, 872, 873)), Paper()).layout
    assert [shape.label.text is None for shape in crowd.shapes] == [False, False, False, True]
    assert crowd.margin.t > on_paper(course("loss"), Paper()).layout.margin.t


def test_the_name_of_an_event_at_an_end_of_a_logarithmic_axis_stays_beside_it():
    made = course("loss", shapes=events(1, 1600)).update_xaxes(type="log", range=[0, 3.2])
    first, last = on_paper(made, Paper()).layout.shapes
    assert (first.label.xanchor, last.label.xanchor) == ("left", "right")


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["W_E", "blocks.0.attn.W_Q", "total"], ["W_E", "W_Q", "total"]),
        (["blocks.0.attn.W_Q", "blocks.1.attn.W_Q"], ["blocks.0.attn.W_Q", "blocks.1.attn.W_Q"]),
        (["width=0.5", "seed=1 · W_E"], ["width=0.5", "seed=1 · W_E"]),
    ],
)
def test_a_legend_names_weights_by_what_tells_them_apart(names, short):
    assert [trace.name for trace in on_paper(course(*names), Paper()).data] == short
