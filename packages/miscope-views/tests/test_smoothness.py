from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.analyzers.smoothness import SPECTRUM
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import ToyFamily, toy_snapshot
from miscope_views import smoothness

VARIANT = make_variant(ToyFamily(), {})
PROBE = ModelContext(ToyFamily(), VARIANT).probe()


def measured(step: int):
    import torch

    assert PROBE.labels is not None
    known = torch.nn.functional.one_hot(PROBE.labels, 5).double()
    logits = known if step else torch.eye(5).double()[torch.zeros(25, dtype=torch.int64)]
    snapshot = toy_snapshot(step=step, activations={"logits": logits}, options=SPECTRUM.options())
    return SPECTRUM.compute(snapshot)


AT = [measured(step) for step in (0, 10)]
STACKED = {name: np.stack([at[name] for at in AT]) for name in AT[0]} | {"step": np.array([0, 10])}
OVER = ViewData(
    variant=VARIANT, step=None, steps=STACKED["step"], probe=PROBE, artifacts={"smoothness.spectrum": STACKED}
)


@pytest.mark.parametrize(
    ("power", "what"), [("without the constant", "without_constant"), ("with the constant", "value")]
)
def test_the_answers_smoothness_stands_beside_its_nulls_and_that_of_the_right_answers(power: str, what: str):
    figure = smoothness.over_training(OVER, power=power)
    by_name = {trace.name: trace.y for trace in figure.data if trace.name}
    low, high = figure.data[:2]
    assert by_name["predicted class"][1] == pytest.approx(AT[1][what])
    assert by_name["right answers"][1] == by_name["predicted class"][1]
    assert by_name["laid at random"][1] == pytest.approx(AT[1][f"shuffled_{what}"])
    assert (low.y[1], high.y[1]) == pytest.approx(tuple(AT[1][f"null_{what}"][[0, 2]]))
    assert not figure.layout.annotations, "a constant table's gaps are meant"


def test_the_table_stands_beside_its_spectrum_with_the_low_frequencies_in_a_circle():
    figure = smoothness.table(replace(OVER, step=10, artifacts={"smoothness.spectrum": AT[1]}))
    image, heat = figure.data
    assert np.array_equal(image.z, np.add.outer(np.arange(5), np.arange(5)) % 5)
    assert list(heat.x) == pytest.approx([-0.4, -0.2, 0, 0.2, 0.4])
    # A function of the sum: nothing but the constant and the diagonal, the constant in the middle.
    assert heat.z[2][2] == heat.z.max() > -0.4
    assert heat.z[2][3] == -8
    assert heat.z[3][3] > -3
    (circle,) = figure.layout.shapes
    assert (circle.x0, circle.x1) == (-0.2, 0.2)
