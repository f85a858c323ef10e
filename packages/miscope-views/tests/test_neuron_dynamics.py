from __future__ import annotations

from dataclasses import replace

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFourierFamily
from miscope_views import neuron_dynamics as views

SITE = "post"
SIZE = np.array([[0, 0, 0], [4, 0, 2], [0, 3, 3]])
CLUSTERS = {
    f"{SITE}/label": np.array(["1", "2", "3"]),
    f"{SITE}/size": SIZE,
    f"{SITE}/size_specialised": SIZE // 2,
    f"{SITE}/size_passing": SIZE,
    f"{SITE}/transient": np.array([True, False, False]),
    f"{SITE}/homeless_count": np.array(1),
    f"{SITE}/transitions": np.array([[0, 2, 1], [0, 0, 0], [0, 0, 0]]),
    f"{SITE}/switched": np.array([0, 0, 3]),
    f"{SITE}/final": np.array(["2", "2", "2", "3", "3", "3", ""]),
    f"{SITE}/commitment": np.array([20, 20, 20, 10, 10, 20, np.nan]),
    f"{SITE}/first": np.array([10, 10, 20, 10, 10, 10, 10]),
}
BANDS = {
    f"{SITE}/band": np.array(["low", "high"]),
    f"{SITE}/range": np.array(["1-1", "2-3"]),
    f"{SITE}/committed": np.array([[0, 0], [4, 2], [0, 6]]),
    f"{SITE}/specialised": np.array([[0, 0], [2, 1], [0, 2]]),
    f"{SITE}/effective": np.array([np.nan, 1.9, 2.0]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFourierFamily(), {}),
    step=None,
    steps=np.array([0, 10, 20]),
    artifacts={
        "neurons.clusters": CLUSTERS,
        "neurons.bands": BANDS,
        "neurons.frequencies": {"step": np.array([0, 10, 20]), f"{SITE}/basis": np.array([["fourier"]] * 3)},
    },
)


def test_specialised_neurons_are_counted_apart_from_committed_ones():
    committed = views.specialisation(SHOWN, site=SITE, counting="committed")
    special = views.specialisation(SHOWN, site=SITE, counting="specialised")
    assert committed.data[0].z.tolist() == SIZE.T.tolist()
    assert special.data[0].z.tolist() == (SIZE // 2).T.tolist()


def test_each_band_has_a_solid_and_a_dotted_line():
    figure = views.bands(SHOWN, site=SITE)
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["low (1-1)", "high (2-3)"]
    assert list(figure.data[2].y) == [0, 2, 6]
    assert list(figure.data[3].y) == [0, 1, 2]
    assert not figure.layout.annotations


def test_switches_are_drawn_between_the_components_that_had_any():
    figure = views.switches(SHOWN, site=SITE)
    assert list(figure.data[1].x) == ["1", "2", "3"]
    assert figure.data[1].z[0].tolist() == [0, 2, 1]
    assert "3 in all" in figure.layout.title.subtitle.text


def test_without_a_switch_there_is_no_map():
    quiet = {f"{SITE}/transitions": np.zeros((3, 3), dtype=int), f"{SITE}/switched": np.zeros(3, dtype=int)}
    calm = replace(SHOWN, artifacts=SHOWN.artifacts | {"neurons.clusters": CLUSTERS | quiet})
    assert len(views.switches(calm, site=SITE).data) == 1


def test_settled_neurons_add_up_over_training():
    figure = views.commitment(SHOWN, site=SITE)
    counts = {trace.name: list(trace.y) for trace in figure.data}
    assert counts == {"2": [0, 0, 3], "3": [0, 2, 3], "ever committed": [0, 6, 7], "for good": [0, 2, 6]}


def test_transients_are_dashed_and_named():
    figure = views.transients(SHOWN, site=SITE)
    assert [trace.name for trace in figure.data] == ["2", "3", "1, transient"]
    assert figure.data[2].line.dash == "dash"
    assert "1 transient, 1 neurons homeless" in figure.layout.title.subtitle.text
