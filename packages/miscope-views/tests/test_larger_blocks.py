"""Figures of a basis whose blocks are no planes: representations of S4, of one, four and nine functions."""

from __future__ import annotations

import re

import numpy as np
import pytest

import miscope_views
from miscope.analysis.analyze import analyze
from miscope.errors import DoesNotApply, NoArtifact
from miscope.figures.render import render
from miscope.testing import scene, tables

BLOCKS = ["[3,1]", "[2,2]", "[2,1,1]", "[1^4]"]
BARS = {"spectra.embedding": "xaxis", "products.inputs": "xaxis", "products.answers": "xaxis"}
MAPS = dict.fromkeys(
    ["spectra.embedding_map", "products.inputs_map", "products.answers_map", "factors.components"], "yaxis"
)
NEURONS = {"neurons.frequencies": "yaxis", "neurons.specialisation": "yaxis"}


@pytest.fixture(scope="module")
def place():
    """A small run on S4, looked at through every instrument that is not heavy."""
    toys = pytest.importorskip("miscope_toys")
    from miscope_toys.permutation import PermutationFamily

    plugins = tables(toys=toys, views=miscope_views)
    small = {"degree": 4, "width": 8, "neurons": 16}
    with scene(PermutationFamily(), plugins, small, steps=6) as found:
        for _ in analyze(found.workspace, [found.variants[0].value]):
            pass
        yield found


def drawn(place, name):
    return render(place.workspace, place.workspace.plugins.views[name], place.variants[0].value)


@pytest.mark.parametrize(("name", "axis"), (BARS | MAPS | NEURONS).items())
def test_every_block_is_named_where_they_are_few(place, name, axis):
    assert list(drawn(place, name).layout[axis].tickvals) == BLOCKS


def test_no_figure_says_nan_or_speaks_of_waves(place):
    said = {}
    for name, view in place.workspace.plugins.views.items():
        if view.grain == "cohort":
            continue
        try:
            figure = drawn(place, name)
        except (DoesNotApply, NoArtifact):
            continue  # heavy ones were not asked for
        parts = [figure.layout.title.text, figure.layout.title.subtitle.text]
        parts += [note.text for note in figure.layout.annotations] + [trace.name for trace in figure.data]
        said[name] = " | ".join(filter(None, parts)).lower()
    assert len(said) > 40
    assert [name for name, text in said.items() if re.search(r"\b(nan|trig|frequency)\b", text)] == []


def test_of_a_block_of_nine_functions_the_two_directions_seen_are_called_no_plane(place):
    figure = drawn(place, "geometry.circles")
    assert figure.layout.title.text == "Class means in the blocks of the basis"
    assert figure.layout.title.subtitle.text.endswith("share of variance")
    names = {note.text.partition(":")[0]: note.text for note in figure.layout.annotations}
    assert "<br>2 of 9 directions: " in names["[3,1]"]
    assert names["[1^4]"].endswith(" · one function")
    assert np.count_nonzero(figure.data[list(names).index("[1^4]")].y) == 0


def test_shares_over_training_stand_alone_where_no_block_can_have_a_circle(place):
    figure = drawn(place, "geometry.alignment")
    assert {trace.yaxis for trace in figure.data} == {"y"}
    assert figure.layout.title.subtitle.text.endswith("none of the strong blocks is a plane")


def test_what_is_left_of_the_logits_is_called_the_own_answer(place):
    names = [trace.name for trace in drawn(place, "progress.losses").data]
    assert names[-2] == "own answer (train)"


def test_phases_do_not_apply_and_say_why(place):
    with pytest.raises(DoesNotApply) as caught:
        drawn(place, "phases.alignment")
    assert caught.value.reason == "no block of the basis 'irreps' has two rows, so that there are no phases in it"
