from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import sensitivity
from miscope_views.banded_curves import BandedCurve, banded_over_training

STEPS = np.array([0, 10, 20])


def shown(reads: str, arrays: dict[str, np.ndarray]) -> ViewData:
    stacked = {"step": STEPS, "inputs": np.full(3, 256)} | arrays
    return ViewData(
        variant=make_variant(ToyFamily(), {}), step=None, steps=STEPS, step_label="epoch", artifacts={reads: stacked}
    )


def test_every_layer_has_a_curve_in_its_band_on_a_logarithmic_axis():
    values, sem = np.array([1e3, 1e5, 1e6]), np.array([10.0, 1e3, 6e5])
    arrays = {"input/squared_norm": values, "input/squared_norm/sem": sem, "input/spread": sem}
    arrays |= {
        f"blocks.0.hook_resid_post/{name}": array
        for name, array in (("squared_norm", sem), ("squared_norm/sem", 0 * sem))
    }
    figure = sensitivity.jacobian(shown("sensitivity.jacobian", arrays))
    assert [trace.name for trace in figure.data if trace.name] == ["input", "blocks.0.hook_resid_post"]
    low, high, middle = figure.data[:3]
    assert (low.y[1], high.y[1], middle.y[1]) == pytest.approx((98_000, 102_000, 1e5))
    assert low.y[2] == 1e4, "a band that reaches below zero ends a hundredth below its curve"
    assert figure.layout.yaxis.type == "log"
    assert "of 256 inputs" in figure.layout.title.subtitle.text


def test_a_trace_of_either_sign_stands_on_either_side_of_zero_in_its_own_numbers():
    values = np.array([-2e5, 0.0, 30.0])
    arrays = {"input/trace": values, "input/trace/sem": np.array([1e3, 0.0, 5.0])}
    figure = sensitivity.input_hessian(shown("sensitivity.input_hessian", arrays))
    *_, curve = figure.data
    assert curve.y[0] < -2 < 0 == curve.y[1] < curve.y[2]
    assert list(curve.customdata[:, 0]) == pytest.approx(list(values))
    assert "0" in figure.layout.yaxis.ticktext
    assert "± %{customdata[1]:.2g}" in curve.hovertemplate


def test_a_network_that_does_not_bend_is_drawn_at_zero():
    arrays = {"input/trace": np.zeros(3), "input/trace/sem": np.zeros(3)}
    figure = sensitivity.input_hessian(shown("sensitivity.input_hessian", arrays))
    assert not np.any(figure.data[-1].y)
    assert not figure.layout.annotations


def test_an_exact_curve_has_no_band():
    seen = shown("x", {})
    figure = banded_over_training(seen, STEPS, [BandedCurve(name="a", values=STEPS)], title={}, unit="")
    assert len(figure.data) == 1
