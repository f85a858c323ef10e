from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.curvature import gradient, trace

STEPS = np.array([0, 10, 20])
GRADIENT = {
    "step": STEPS,
    "norm": np.array([5.0, 3.0, 1.0]),
    "W_E/norm": np.array([4.0, 2.0, 0.5]),
    "W_U/norm": np.array([3.0, 1.0, 0.0]),
}
TRACE = {
    "step": STEPS,
    "trace": np.array([100.0, 40.0, 1.0]),
    "trace/sem": np.array([10.0, 4.0, 2.0]),
    "W_E/trace": np.array([60.0, -10.0, 1.0]),
    "W_E/trace/sem": np.array([6.0, 1.0, 1.0]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    artifacts={"curvature.gradient": GRADIENT, "curvature.trace": TRACE},
)


def test_the_gradient_is_one_curve_on_a_logarithmic_axis_or_one_for_each_tensor():
    whole = gradient(SHOWN, of="all weights")
    assert list(whole.data[0].y) == [5, 3, 1]
    assert whole.layout.yaxis.type == "log"
    each = gradient(SHOWN, of="each tensor")
    assert [curve.name for curve in each.data] == ["W_E", "W_U"]
    # A gradient that is nought has no logarithm.
    assert each.layout.yaxis.type is None
    assert each.data[1].y[-1] == 0


def test_the_trace_stands_in_a_band_of_two_standard_errors():
    low, high, mean = trace(SHOWN, of="all weights").data
    assert list(mean.y) == [100, 40, 1]
    assert list(high.y) == [120, 48, 5]
    assert low.y == pytest.approx([80, 32, 0.01])
    assert mean.customdata.tolist()[1] == [40, 4]


def test_a_trace_of_either_sign_is_drawn_to_both_sides_of_zero():
    figure = trace(SHOWN, of="each tensor")
    assert figure.layout.yaxis.title.text == "tr d²L/dθ² (symmetric log)"
    assert np.sign(figure.data[-1].y).tolist() == [1, -1, 1]
    assert figure.data[-1].customdata[1][0] == -10


def test_hutch_plus_plus_has_no_traces_of_single_tensors():
    arrays = {name: TRACE[name] for name in ("step", "trace", "trace/sem")}
    with pytest.raises(DoesNotApply, match=r"computed with Hutch\+\+, which gives no traces of single tensors"):
        trace(replace(SHOWN, artifacts={"curvature.trace": arrays}), of="each tensor")
