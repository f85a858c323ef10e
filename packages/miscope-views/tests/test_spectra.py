from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import NULL, colour_of
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views.spectra import embedding, embedding_lines, embedding_map

K = 14
STEPS = np.array([0, 100, 200])
LABELS = np.array([str(k) for k in range(1, K + 1)])
SHARE = np.full((3, K), 1 / K)
SHARE[2] = 0.01
SHARE[2, [4, 11]] = 0.6, 0.28


def shown(step: int | None, basis: str = "fourier") -> ViewData:
    stacked = {
        "step": STEPS,
        "W_E/fraction": SHARE,
        "W_E/label": np.array([LABELS] * 3),
        "W_E/basis": np.array([[basis]] * 3),
    }
    at = {name: array[list(STEPS).index(step)] for name, array in stacked.items()} if step is not None else stacked
    return ViewData(
        variant=make_variant(ToyFourierFamily(), {}),
        step=step,
        steps=STEPS,
        step_label="epoch",
        artifacts={"spectra.embedding": at},
        history={"spectra.embedding": stacked},
        bases={"token": cosines(2 * K + 1)},
    )


def test_dominant_frequencies_are_ticked_by_their_true_number_in_their_own_colour():
    figure = embedding(shown(200), role="W_E", locked=True)
    colours = figure.data[-1].marker.color

    assert list(figure.layout.xaxis.tickvals) == ["5", "12"]
    assert figure.layout.xaxis.title.text == "frequency k"
    assert (colours[4], colours[11]) == (colour_of("5"), colour_of("12"))
    assert {colour for k, colour in enumerate(colours) if k not in (4, 11)} == {NULL}


def test_nothing_stands_out_before_training():
    figure = embedding(shown(0), role="W_E", locked=True)
    assert set(figure.data[-1].marker.color) == {NULL}


def test_at_one_scale_the_axis_names_the_same_components_at_every_step():
    assert list(embedding(shown(0), role="W_E", locked=True).layout.xaxis.tickvals) == ["5", "12"]
    assert len(embedding(shown(0), role="W_E", locked=False).layout.xaxis.tickvals) == K


def test_a_locked_scale_holds_the_largest_share_of_all_steps():
    assert embedding(shown(0), role="W_E", locked=True).layout.yaxis.range[1] == pytest.approx(0.63)
    assert embedding(shown(0), role="W_E", locked=False).layout.yaxis.range is None


def test_at_the_scale_of_all_steps_low_bars_stand_in_the_outlines_of_the_largest_of_each():
    outlines, bars = embedding(shown(0), role="W_E", locked=True).data
    assert outlines.name == "largest of all steps"
    assert list(outlines.y[[4, 11]]) == [0.6, 0.28]
    assert list(bars.y) == pytest.approx([1 / K] * K)
    assert len(embedding(shown(0), role="W_E", locked=False).data) == 1


def test_the_chance_level_is_that_of_the_first_checkpoint():
    [level] = embedding(shown(200), role="W_E", locked=True).layout.shapes

    assert level.y0 == pytest.approx(1 / K)
    assert level.label.text == "largest at epoch 0"


def test_an_imported_model_without_its_beginning_has_no_chance_level():
    imported = shown(200)
    later = {name: array[2:] for name, array in imported.history["spectra.embedding"].items()}

    figure = embedding(replace(imported, history={"spectra.embedding": later}), role="W_E", locked=True)

    assert not figure.layout.shapes
    assert list(figure.layout.xaxis.tickvals) == ["5", "12"]


def test_lines_show_the_dominant_components_and_a_band_of_all_others():
    figure = embedding_lines(shown(None), role="W_E")
    named = {trace.name: trace for trace in figure.data if trace.name}

    assert list(named) == ["up to the greatest of all others", "5", "12"]
    assert named["5"].line.color == colour_of("5")
    assert list(named["12"].y) == pytest.approx([1 / K, 1 / K, 0.28])
    assert max(named["up to the greatest of all others"].y) == pytest.approx(1 / K)


def test_the_map_has_steps_across_and_components_up():
    figure = embedding_map(shown(None), role="W_E")

    assert figure.data[0].z.shape == (K, 3)
    assert list(figure.data[0].x) == [0, 100, 200]
    assert list(figure.layout.yaxis.tickvals) == ["5", "12"]


def test_a_basis_of_the_datas_own_is_said_in_the_title():
    figure = embedding(shown(200, basis="singular"), role="W_E", locked=True)

    assert "in the data's own basis (singular): the family gives none" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.title.text == "singular component"
