from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFourierFamily
from miscope.testing.toy import cosines
from miscope_views import factors

STEPS = np.array([0, 100])
LABELS = np.array([[str(k) for k in range(1, 15)]] * 2)
ANSWER = np.array([np.full(14, 0.002), 0.7 * np.eye(14)[4]])


def shown() -> ViewData:
    stacked = {
        "step": STEPS,
        "logits/basis": np.array([["fourier"]] * 2),
        "logits/label": LABELS,
        "logits/answer_label": LABELS,
        "logits/answer": ANSWER,
        "logits/within": ANSWER + 0.001,
        "logits/answer_share": ANSWER.sum(axis=1),
        "logits/first_share": np.array([0.4, 0.1]),
        "logits/second_share": np.array([0.4, 0.1]),
        "logits/within_share": ANSWER.sum(axis=1) + 0.014,
        "logits/across_share": np.array([0.158, 0.086]),
    }
    variant = make_variant(ToyFourierFamily(), {})
    reads = {"factors.shares": stacked}
    return ViewData(variant=variant, step=None, steps=STEPS, artifacts=reads, bases={"token": cosines(29)})


def test_the_layers_fill_the_whole():
    figure = factors.shares(shown(), site="logits")

    assert np.sum([trace.y for trace in figure.data], axis=0) == pytest.approx([1, 1], rel=1e-6)
    assert [trace.name for trace in figure.data][2] == "the answer"


def test_the_answers_components_have_their_own_colours():
    figure = factors.answers(shown(), site="logits")

    assert [trace.name for trace in figure.data] == ["answer in all", "5"]
    assert figure.data[1].line.color == colour_of("5")
