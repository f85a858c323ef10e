from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views import phases

SITE = "post"
AT = {
    f"{SITE}/label": np.array(["1", "2"]),
    f"{SITE}/block": np.array([0, 1, 1, -1]),
    f"{SITE}/first": np.array([0.5, 3.0, 1.0, np.nan]),
    f"{SITE}/second": np.array([0.5, 3.0, 0.0, np.nan]),
    f"{SITE}/output": np.array([1.0, -0.3, 1.0, np.nan]),
    f"{SITE}/residual": np.array([0.0, -0.017, 0.0, np.nan]),
    f"{SITE}/coherence": np.array(0.99),
    f"{SITE}/null": np.array(0.5),
}


def shown(arrays, step):
    variant = make_variant(ToyFourierFamily(), {})
    bases = {"sum": cosines(5)}
    return ViewData(
        variant=variant, step=step, steps=np.array([0, 9]), artifacts={"phases.neurons": arrays}, bases=bases
    )


def test_a_neuron_lies_where_it_listens_and_writes_and_dead_ones_nowhere():
    figure = phases.alignment(shown(AT, 9), site=SITE, component="all")

    assert [trace.name for trace in figure.data[:2]] == ["1", "2"]
    assert list(figure.data[0].x) == pytest.approx([np.degrees(1.0)])
    assert list(figure.data[1].x) == pytest.approx([np.degrees(6.0 - 2 * np.pi), np.degrees(1.0)])
    assert sum(figure.data[2].y) == 3
    assert "coherence 0.99" in figure.layout.title.subtitle.text


def test_without_a_neuron_that_has_a_phase_the_title_says_so_and_not_nan():
    nobody = AT | {f"{SITE}/block": np.full(4, -1), f"{SITE}/coherence": np.array(np.nan)}
    figure = phases.alignment(shown(nobody, 9), site=SITE, component="all")

    expected = "no neuron follows a block of two functions, which has a phase"
    assert figure.layout.title.subtitle.text.endswith(expected)


def test_one_component_alone():
    figure = phases.alignment(shown(AT, 9), site=SITE, component="2")

    assert list(figure.data[0].customdata) == [1, 2]
    assert sum(figure.data[1].y) == 2


def test_coherence_stands_above_the_band_of_chance():
    arrays = {
        "step": np.array([0, 9]),
        f"{SITE}/label": np.array([["1", "2"]] * 2),
        f"{SITE}/count": np.array([[0, 0], [6, 0]]),
        f"{SITE}/block_coherence": np.array([[np.nan, np.nan], [0.9, np.nan]]),
        f"{SITE}/block_p_adjusted": np.array([[np.nan, np.nan], [0.001, np.nan]]),
        f"{SITE}/spread": np.array([[np.nan, np.nan], [0.1, np.nan]]),
        f"{SITE}/spread_p_adjusted": np.array([[np.nan, np.nan], [0.9, np.nan]]),
        f"{SITE}/null": np.array([0.2, 0.2]),
        f"{SITE}/coherence": np.array([0.1, 0.95]),
        f"{SITE}/coherence_specialised": np.array([np.nan, 0.97]),
        f"{SITE}/coherence_difference": np.array([0.1, 0.1]),
    }
    figure = phases.coherence(shown(arrays, None), site=SITE, below="agreement")

    assert list(figure.data[1].y) == pytest.approx([0.2, 0.2])
    assert list(figure.data[2].y) == pytest.approx([0.1, 0.95])
    assert [trace.name for trace in figure.data[5:]] == ["1"]
    assert figure.data[5].customdata[1] == pytest.approx(0.001)
    around = phases.coherence(shown(arrays, None), site=SITE, below="unevenness")
    assert around.data[5].y[1] == pytest.approx(0.1)
    assert around.layout.yaxis2.title.text.startswith("unevenness")
    assert not figure.layout.annotations
