from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.curvature import alignment, eigenvalues, fisher, gradient, noise, trace

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
    assert mean.customdata.tolist()[1] == [40, 8]


def test_a_trace_of_either_sign_is_drawn_to_both_sides_of_zero():
    figure = trace(SHOWN, of="each tensor")
    assert figure.layout.yaxis.title.text == "tr d²L/dθ² (symmetric log)"
    assert np.sign(figure.data[-1].y).tolist() == [1, -1, 1]
    assert figure.data[-1].customdata[1][0] == -10


def test_hutch_plus_plus_has_no_traces_of_single_tensors():
    arrays = {name: TRACE[name] for name in ("step", "trace", "trace/sem")}
    with pytest.raises(DoesNotApply, match=r"computed with Hutch\+\+, which gives no traces of single tensors"):
        trace(replace(SHOWN, artifacts={"curvature.trace": arrays}), of="each tensor")


EIGENVALUES = {
    "step": STEPS,
    "top": np.array([[9.0, 3.0], [5.0, 2.0], [4.0, 1.0]]),
    "top/residual": np.array([[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]]),
    "top/overlap": np.array([[0.5, 0.1], [0.2, 0.1], [0.1, 0.1]]),
    "bottom": np.array([[-4.0, -1.0], [-2.0, 0.1], [-1.0, -0.5]]),
    "bottom/residual": np.full((3, 2), 0.3),
    "trace": np.array([10.0, 5.0, 2.0]),
    "overlap": np.array([0.6, 0.3, 0.2]),
    "overlap/expected": np.full(3, 0.01),
    "overlap/high": np.full(3, 0.04),
}


def test_both_ends_of_the_spectrum_stand_within_their_residuals_on_either_side_of_zero():
    figure = eigenvalues(replace(SHOWN, artifacts={"curvature.eigenvalues": EIGENVALUES}), measure="eigenvalue")
    curves = {curve.name: curve for curve in figure.data if curve.name}
    assert list(curves) == ["largest 1", "largest 2", "smallest 1", "smallest 2"]
    assert curves["smallest 1"].customdata == pytest.approx(np.array([[-4, 0.3], [-2, 0.3], [-1, 0.3]]))
    assert curves["smallest 1"].line.dash == "dash"
    assert figure.layout.yaxis.title.text == "λ of d²L/dθ² (symmetric log)"
    shares = eigenvalues(replace(SHOWN, artifacts={"curvature.eigenvalues": EIGENVALUES}), measure="share of the trace")
    assert shares.data[2].customdata[:, 0] == pytest.approx([0.9, 1.0, 2.0])


def test_the_gradient_along_eigenvectors_stands_beside_a_random_direction():
    figure = alignment(replace(SHOWN, artifacts={"curvature.eigenvalues": EIGENVALUES}))
    curves = {curve.name: list(curve.customdata[:, 0]) for curve in figure.data}
    assert curves["all 2"] == pytest.approx([0.6, 0.3, 0.2])
    assert curves["random, 97.5 %"] == pytest.approx([0.04] * 3)
    assert figure.layout.yaxis.type == "log"


def test_both_kinds_of_fisher_information_are_drawn_and_the_exact_one_where_it_is_there():
    arrays = {"step": STEPS, **{f"{what}{end}": np.ones(3) for what in ("empirical", "true") for end in ("", "/sem")}}
    names = [curve.name for curve in fisher(replace(SHOWN, artifacts={"curvature.fisher": arrays})).data if curve.name]
    assert names == ["right labels", "the model's labels"]
    exact = arrays | {"exact": np.ones(3), "exact/sem": np.zeros(3)}
    assert len(fisher(replace(SHOWN, artifacts={"curvature.fisher": exact})).data) == 9


def test_the_noise_scale_stands_beside_the_trainings_batch_and_a_gap_is_no_fault():
    arrays = {"step": STEPS, "scale": np.array([np.nan, 30.0, 10.0]), "scale/sem": np.zeros(3), "batch": np.full(3, 15)}
    figure = noise(replace(SHOWN, artifacts={"curvature.noise": arrays}))
    assert [curve.name for curve in figure.data if curve.name] == ["noise scale", "batch of the training"]
    assert not figure.layout.annotations
