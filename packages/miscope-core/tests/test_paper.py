"""Figures as a paper has them: width in millimetres, letters in points, white, without a title."""

from __future__ import annotations

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
