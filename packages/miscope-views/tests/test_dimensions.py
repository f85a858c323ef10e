from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import dimensions

SITE = "blocks.0.mlp.hook_post"
AT = {
    f"{SITE}/eigenvalue": np.array([6.0, 3.0, 1.0, 0.0]),
    f"{SITE}/variance": np.array(10.0),
    f"{SITE}/participation_ratio": np.array(100 / 46),
    f"{SITE}/dimensions_90": np.array(2),
    f"{SITE}/dimensions_99": np.array(3),
}
STACKED = {name: np.stack([array, array]) for name, array in AT.items()} | {"step": np.array([0, 50])}


def shown(step: int | None, **more: np.ndarray) -> ViewData:
    reads = {"dimensions.activations": AT if step is not None else STACKED | more}
    history = {"dimensions.activations": STACKED}
    variant = make_variant(ToyFamily(), {})
    return ViewData(variant=variant, step=step, steps=STACKED["step"], artifacts=reads, history=history)


def test_the_spectrum_is_a_share_of_variance_and_marks_what_holds_most_of_it():
    figure = dimensions.spectrum(shown(50), site=SITE)
    assert list(figure.data[1].y)[:3] == pytest.approx([0.6, 0.3, 0.1])
    assert np.isnan(figure.data[1].y[3])
    assert [mark.x0 for mark in figure.layout.shapes] == [2, 3]
    assert not figure.layout.annotations


def test_without_labels_there_is_no_panel_of_answers():
    figure = dimensions.activations(shown(None), quantity="directions for 90 %")
    assert [list(trace.y) for trace in figure.data] == [[2, 2]]
    assert "yaxis2" not in figure.layout.to_plotly_json()


def test_with_labels_the_share_between_answers_is_drawn_beside_its_chance():
    labelled = {f"{SITE}/between_share": np.array([0.1, 0.9]), "between_null": np.array([0.05, 0.05])}
    figure = dimensions.activations(shown(None, **labelled), quantity="participation ratio")
    assert list(figure.data[1].y) == pytest.approx([0.1, 0.9])
    assert figure.layout.shapes[-1].y0 == 0.05
