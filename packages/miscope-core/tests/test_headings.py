"""Headings are broken where the figure ends."""

from __future__ import annotations

import plotly.graph_objects as go

from miscope.figures.figure_style import template
from miscope.figures.headings import fit_headings, lines_of


def test_a_line_is_broken_between_its_parts_and_within_one_only_where_it_must_be():
    assert lines_of("one · two", 40) == ["one · two"]
    assert lines_of("one · two · three", 12) == ["one · two ·", "three"]
    assert lines_of("one · a sentence of several words", 12) == ["one ·", "a sentence", "of several", "words"]
    assert lines_of("kept<br>apart", 40) == ["kept", "apart"]
    assert lines_of("", 40) == [""]


def test_what_is_no_letter_takes_no_room():
    assert lines_of("<span style='color:#118833'>●</span> seed 1 · seed 2", 20) == [
        "<span style='color:#118833'>●</span> seed 1 · seed 2"
    ]


def test_the_plot_moves_down_by_the_lines_that_are_more():
    short = go.Figure(layout={"template": template(), "title": {"text": "short", "subtitle": {"text": "too"}}})
    long = go.Figure(
        layout={"template": template(), "title": {"text": "short", "subtitle": {"text": " · ".join(["a part"] * 20)}}}
    )
    given = go.Figure(long).update_layout(margin={"t": 96})

    assert fit_headings(short) == 0
    assert short.layout.margin.t is None
    assert fit_headings(long) == 15
    assert long.layout.margin.t == 64 + 15
    assert long.layout.title.subtitle.text.count("<br>") == 1
    assert fit_headings(given) == 15
    assert given.layout.margin.t == 96 + 15


def test_a_wider_figure_holds_longer_lines():
    wide = go.Figure(layout={"template": template(), "title": {"text": "a", "subtitle": {"text": "b · " * 40}}})
    wide.update_layout(width=1400)

    assert fit_headings(wide) == 0
