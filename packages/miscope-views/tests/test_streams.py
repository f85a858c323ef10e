from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFamily, ToyFourierFamily, check_view
from miscope_views import streams

STEPS = np.array([0, 10, 20])
LABEL = np.array([["1", "2", "3"]] * 3)
RISING = np.array([[0.34, 0.33, 0.33], [0.2, 0.6, 0.2], [0.05, 0.9, 0.05]])
EMBEDDING = {
    "step": STEPS,
    "W_E/fraction": RISING,
    "W_E/label": LABEL,
    "W_E/basis": np.array([["fourier"]] * 3),
}
SCORES = {"step": STEPS} | {
    f"blocks.0.attn[{head}]/{name}": array
    for head in (0, 1)
    for name, array in (("fraction", RISING * (head + 1) / 2), ("label", LABEL))
}
LOGITS = {"step": STEPS, "logits/answer": RISING / 2, "logits/answer_label": LABEL}
CLUSTERS = {"post/label": LABEL[0], "post/size": np.array([[0, 0, 0], [0, 2, 0], [0, 4, 0]]), "post/final": np.zeros(8)}


def shown(**artifacts):
    reads = {"spectra.embedding": EMBEDDING} | {name.replace("_", "."): arrays for name, arrays in artifacts.items()}
    variant = make_variant(ToyFourierFamily(), {})
    return ViewData(variant=variant, step=None, steps=STEPS, artifacts=reads)


def test_the_streams_of_a_trained_toy_are_drawn_without_a_basis():
    check_view(streams.VIEWS[0], ToyFamily())


def test_each_stream_that_was_computed_has_a_lane():
    everything = shown(
        scores_queries=SCORES, neurons_clusters=CLUSTERS, neurons_frequencies={"step": STEPS}, factors_shares=LOGITS
    )
    figure = streams.lanes(everything, most=6)
    curves = [trace for trace in figure.data if trace.name == "2"]
    assert [trace.yaxis for trace in curves] == ["y", "y2", "y3", "y4"]
    assert list(curves[1].y) == pytest.approx([0.2475, 0.45, 0.675])
    assert list(curves[2].y) == pytest.approx([0, 0.25, 0.5])
    assert {trace.line.color for trace in curves} == {colour_of("2")}
    assert [trace.showlegend for trace in curves] == [True, False, False, False]


def test_a_stream_about_other_components_has_no_lane():
    other = LOGITS | {"logits/answer_label": np.array([["4", "5", "6"]] * 3)}
    figure = streams.lanes(shown(factors_shares=other), most=6)
    assert {trace.yaxis for trace in figure.data} == {"y"}


def test_weights_over_no_inputs_have_no_lanes():
    nothing = ViewData(
        variant=make_variant(ToyFamily(), {}), step=None, steps=STEPS, artifacts={"spectra.embedding": {"step": STEPS}}
    )
    with pytest.raises(DoesNotApply) as refused:
        streams.lanes(nothing, most=6)
    assert refused.value.reason == (
        "none of its weights has the axis 'token', or one with a task basis, to be a stream of components"
    )
