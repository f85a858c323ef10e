from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import BadValue
from miscope.family import make_variant
from miscope.figures.figure_style import NULL, colour_of
from miscope.testing import ToyFamily
from miscope_views.one_neuron import ONE_NEURON_VIEWS, components, course

SITE = "blocks.0.mlp.hook_post"
SHARES = {
    f"{SITE}/basis": np.array(["fourier"]),
    f"{SITE}/label": np.array(["1", "2", "3"]),
    f"{SITE}/fraction": np.array([[0.1, 0, 0.5], [0.7, 0, 0.25], [0.1, 0, 0.25]], dtype=np.float16),
    f"{SITE}/dead": np.array([False, True, False]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=20,
    steps=np.array([0, 10, 20]),
    step_label="epoch",
    artifacts={"neurons.frequencies": SHARES},
)
OVER_TIME = {name: np.stack([array] * 3) for name, array in SHARES.items()} | {"step": np.array([0, 10, 20])}
SCALE = np.array([0.5, 0.25, 1], dtype=np.float16)
OVER_TIME[f"{SITE}/fraction"] = OVER_TIME[f"{SITE}/fraction"] * SCALE[:, None, None]


def test_the_strongest_component_of_a_neuron_stands_out():
    (bars,) = components(SHOWN, site=SITE, neuron=0).data
    assert list(bars.x) == ["1", "2", "3"]
    assert bars.y == pytest.approx([0.1, 0.7, 0.1], abs=1e-3)
    assert list(bars.marker.color) == [NULL, colour_of("2"), NULL]


def test_no_component_of_a_dead_neuron_does_and_that_is_said():
    figure = components(SHOWN, site=SITE, neuron=1)
    assert set(figure.data[0].marker.color) == {NULL}
    assert "dead: the same for every input" in figure.layout.title.subtitle.text


def test_the_course_of_a_neuron_is_that_of_its_components():
    shown = replace(SHOWN, step=None, artifacts={"neurons.frequencies": OVER_TIME})
    curves = {curve.name: curve.y for curve in course(shown, site=SITE, neuron=2).data}
    assert list(curves) == ["1", "2", "3"]
    assert curves["1"] == pytest.approx([0.25, 0.125, 0.5])


def test_a_line_says_from_where_on_a_neuron_is_committed():
    clusters = {f"{SITE}/threshold": np.array(0.4)}
    shown = replace(SHOWN, artifacts={**SHOWN.artifacts, "neurons.clusters": clusters})
    (line,) = components(shown, site=SITE, neuron=0).layout.shapes
    assert (line.y0, line.label.text) == (0.4, "committed from here on")


def test_a_neuron_beyond_the_last_is_refused():
    with pytest.raises(BadValue) as refused:
        components(SHOWN, site=SITE, neuron=3)
    assert str(refused.value) == f"{SITE} has no neuron 3.\nIt has 3, counted from 0.\nGive neuron=0 to 2."
    (_, number) = ONE_NEURON_VIEWS[0].controls
    assert number.maximum_from(SHOWN) == 2
