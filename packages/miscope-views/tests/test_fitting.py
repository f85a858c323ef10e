"""Every figure holds what is written on it: titles end where the figure does, tables show all their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from plotly.graph_objects import Figure

import miscope_views
from miscope.errors import DoesNotApply, NoArtifact
from miscope.figures.comparing.compared_figure import ComparedFigure
from miscope.figures.comparing.overlay import overlay
from miscope.figures.headings import BELOW, TITLE
from miscope.figures.render import render
from miscope.testing import Scene, ToyFourierFamily, scene, tables
from miscope_views.tables import WIDTH, table, tall


@pytest.fixture(scope="module")
def runs() -> Iterator[Scene]:
    """Two with long names, analyzed; only looked at."""
    with scene(ToyFourierFamily(), tables(views=miscope_views)) as place:
        for variant in place.variants:
            list(variant.analyze())
        yield place


@pytest.fixture(scope="module")
def figures(runs: Scene) -> dict[str, Any]:
    """Every view of the first that draws, or of both."""
    return drawn(runs, 0)


def drawn(runs: Scene, place: int) -> dict[str, Any]:
    values = [variant.value for variant in runs.variants]
    found = {}
    for name, view in runs.workspace.plugins.views.items():
        try:
            found[name] = render(runs.workspace, view, values if view.grain == "cohort" else values[place])
        except (DoesNotApply, NoArtifact):
            continue
    return found


def test_no_title_runs_off_its_figure(figures: dict[str, Any]):
    assert len(figures) > 60
    assert [name for name, figure in figures.items() if longest(figure.layout.title.text) > TITLE] == []
    assert [name for name, figure in figures.items() if longest(figure.layout.title.subtitle.text or "") > BELOW] == []


def test_the_plot_makes_room_for_every_line_of_its_heading(figures: dict[str, Any]):
    for name, figure in figures.items():
        lines = (figure.layout.title.subtitle.text or "").count("<br>") + figure.layout.title.text.count("<br>")
        top = figure.layout.margin.t or figure.layout.template.layout.margin.t
        assert top >= 64 + 15 * lines, name


def longest(text: str) -> int:
    return max(len(line) for line in text.split("<br>"))


def test_a_table_is_as_tall_as_its_rows_and_its_columns_hold_their_words():
    few = table({"setting": ["seed"], "record": ["1"]})
    many = table({"setting": [f"field {i}" for i in range(40)], "record": ["1"] * 40})
    wide = table({f"a heading of column {i}": [f"toy.sum/p17-seed{i}-dseed598-frac0.7", "0.000123"] for i in range(9)})

    assert tall(few) == 500
    assert tall(many) > 40 * many["cells"]["height"] + 112
    assert tall(few, more=450) == 450 + 128 + 2 * few["cells"]["height"]
    assert sum(few["columnwidth"]) < WIDTH
    assert sum(wide["columnwidth"]) <= WIDTH
    assert few["cells"]["font"]["size"] == 12
    assert wide["header"]["values"][0] == "<b>a heading of column 0</b>"
    assert wide["cells"]["values"][0] == ["toy.sum/<br>p17-<br>seed0-<br>dseed598-<br>frac0.7", "0.000123"]


def test_of_a_cell_that_is_broken_every_word_has_a_line():
    columns = {f"c{i}": ["learning_rate=0.001, weight_decay=2"] for i in range(6)}
    assert table(columns)["cells"]["values"][0][0].startswith("learning_")
    assert " " not in table(columns)["cells"]["values"][0][0]


HEAT, TABLE = "heat maps would hide each other", "tables would hide each other"
APART = {
    **dict.fromkeys(
        (
            *("behaviour.by_class", "factors.components", "gradients.spectrum", "integrity.distances"),
            *("learning.order", "neurons.clusters", "neurons.specialisation", "parameters.proximity"),
            *("products.answers_map", "products.inputs_map", "ranks.scree", "spectra.embedding_map"),
        ),
        HEAT,
    ),
    **dict.fromkeys(("provenance.settings", "summary.classification"), TABLE),
    **dict.fromkeys(("groups.paths", "parameters.trajectory"), "each has axes of its own"),
}
"""Views over one run's training that are not laid over each other, and why: two of them cannot be seen at once, or what
is near in one is not near in the other."""


def test_every_view_over_training_of_two_runs_is_one_figure_or_says_why_it_stands_beside(
    runs: Scene, figures: dict[str, Any]
):
    views, others = runs.workspace.plugins.views, drawn(runs, 1)
    both = [name for name in figures if views[name].grain == "trajectory"]
    assert len(both) > 40
    said = {}
    for name in both:
        pair = zip(("seed=1", "seed=2"), ("#0072B2", "#D55E00"), (figures[name], others[name]), strict=True)
        laid = overlay([ComparedFigure(label=label, colour=colour, figure=each) for label, colour, each in pair])
        if not isinstance(laid, Figure):
            said[name] = laid.reason.partition(":")[0]
            continue
        told = {str(trace.name).partition(" · ")[0] for trace in laid.data}
        assert {"seed=1", "seed=2"} <= told, name
    assert said == {name: reason for name, reason in APART.items() if name in both}
    assert {*APART} <= {*both}
