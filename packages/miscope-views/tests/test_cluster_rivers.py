from __future__ import annotations

from dataclasses import replace

import numpy as np

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFourierFamily
from miscope_views import cluster_rivers as views

SITE = "post"
DOMINANT = np.array([["1", "2", "3", ""], ["1", "1", "3", ""], ["1", "2", "2", ""]])
SHARE = np.array([[0.1, 0.1, 0.1, 0.0], [0.9, 0.5, 0.2, 0.0], [0.9, 0.5, 0.5, 0.0]])
CLUSTERS = {
    f"{SITE}/label": np.array(["1", "2", "3"]),
    f"{SITE}/size": np.array([[0, 0, 0], [2, 0, 0], [1, 2, 0]]),
    f"{SITE}/threshold": np.array(0.4),
    f"{SITE}/stability": np.array([np.nan, 0.3]),
    f"{SITE}/likeness_to_end": np.array([np.nan, 0.3, 1.0]),
    f"{SITE}/significant_share": np.array([0.0, 0.25, 0.75]),
    f"{SITE}/committed_share": np.array([0.0, 0.5, 0.75]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFourierFamily(), {}),
    step=None,
    steps=np.array([0, 10, 20]),
    artifacts={
        "neurons.clusters": CLUSTERS,
        "neurons.frequencies": {
            "step": np.array([0, 10, 20]),
            f"{SITE}/basis": np.array([["fourier"]] * 3),
            f"{SITE}/dominant": DOMINANT,
            f"{SITE}/max_fraction": SHARE,
        },
    },
)
TIME = {"clock": "linear"}


def test_every_cluster_is_as_wide_as_it_has_neurons_and_the_rest_is_of_none():
    figure = views.river(SHOWN, site=SITE, columns=3, **TIME)
    streams = {trace.name: trace for trace in figure.data if trace.mode == "lines"}
    counts = {name: list(figure.data[2 * i + 1].customdata) for i, name in enumerate(streams)}

    assert counts == {"1": [0, 2, 1], "2": [0, 0, 2], "other": [0, 0, 0], "none": [4, 2, 1]}
    assert streams["1"].fillcolor == colour_of("1")
    assert not figure.layout.annotations


def test_a_stream_runs_from_where_its_neurons_were_to_where_they_are():
    figure = views.river(SHOWN, site=SITE, columns=3, **TIME)
    first = figure.data[0]
    x, y = np.asarray(first.x), np.asarray(first.y)
    starts, ends = (sorted(y[x == step].tolist()) for step in (10, 20))

    # Of the two neurons of cluster 1 one stays and one goes on to 2, which begins above it.
    assert starts == [0, 0, 1, 1, 1, 2]
    assert ends == [0, 1, 1, 2]


def test_on_a_logarithmic_clock_columns_are_spread_evenly_over_it():
    steps = np.array([0, *range(1, 101)])
    shares = {name: np.repeat(array[:1], 101, axis=0) for name, array in SHOWN.artifacts["neurons.frequencies"].items()}
    long = replace(SHOWN, steps=steps, artifacts={**SHOWN.artifacts, "neurons.frequencies": shares | {"step": steps}})
    figure = views.river(long, site=SITE, columns=3, clock="log")

    assert list(figure.data[1].x) == [1, 10, 100]


def test_stability_starts_where_there_is_a_checkpoint_before():
    figure = views.stability(SHOWN, site=SITE)

    assert [trace.name for trace in figure.data][:2] == ["with the checkpoint before", "with the last checkpoint"]
    assert list(figure.data[0].x) == [10, 20]
    assert not figure.layout.annotations
