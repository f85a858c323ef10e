"""Figures are made without their template, which is put in place unless the figure goes where it does not travel."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest

from miscope.figures.figure_style import bare, is_bare, is_ours, template
from miscope.figures.headings import fit_headings
from miscope.figures.wire import wire


def made(look: go.layout.Template, title: str = "Losses") -> go.Figure:
    return go.Figure(go.Scatter(y=[1, 2]), {"template": look, "title": {"text": title}})


def test_a_bare_figure_is_neither_dressed_nor_taken_for_one():
    assert (is_bare(made(bare())), is_ours(made(bare()))) == (True, False)
    assert (is_bare(made(template())), is_ours(made(template()))) == (False, True)


def test_what_travels_of_a_figure_is_the_same_with_and_without_its_template():
    long = "Weights of every layer that had a gradient at this step, beside those that had none at any step before it"
    figures = [made(look, title) for look in (bare(), template()) for title in ("Losses", long)]
    for figure in figures:
        fit_headings(figure)
    sent = [json.loads(wire(figure)) for figure in figures]
    assert sent[:2] == sent[2:]
    assert sent[1]["layout"]["margin"]["t"] == pytest.approx(84)
