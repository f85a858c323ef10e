from __future__ import annotations

import numpy as np
import pytest

from miscope_views.signed_axis import magnitudes_of


def test_positive_values_stand_on_a_logarithmic_axis_as_they_are():
    scale = magnitudes_of([np.array([1e-3, 5.0]), np.array([np.nan, 2.0])])
    assert scale.axis("trace")["type"] == "log"
    assert list(scale.laid(np.array([3.0]))) == [3.0]
    assert scale.below(np.array([-1.0, 2.0]), np.array([4.0, 4.0])) == pytest.approx([0.04, 2.0])


def test_values_of_both_signs_stand_in_the_order_of_their_size_with_zero_in_the_middle():
    scale = magnitudes_of([np.array([-2e5, 3.0, 0.0])])
    values = np.array([-2e5, -3e3, -10.0, 0.0, 10.0, 3e3, 2e5])
    laid = scale.laid(values)
    assert (np.diff(laid) > 0).all()
    assert laid == pytest.approx(-laid[::-1])
    assert laid[-1] - laid[-2] == pytest.approx(np.log10(2e5 / 3e3), rel=0.05)


def test_ticks_of_such_an_axis_are_powers_of_ten_where_these_stand():
    scale = magnitudes_of([np.array([-2e5, 3.0])])
    axis = scale.axis("trace")
    assert axis["title"]["text"] == "trace (symmetric log)"
    at = dict(zip(axis["ticktext"], axis["tickvals"], strict=True))
    assert at["0"] == 0
    assert at["−10<sup>5</sup>"] == pytest.approx(float(scale.laid(np.array([-1e5]))[0]))
    small = magnitudes_of([np.array([-2e-4, 1e-6])]).axis("")
    assert "10<sup>−4</sup>" in small["ticktext"]


def test_nothing_but_zeros_or_nothing_at_all_has_an_axis_too():
    for values in ([np.zeros(3)], [], [np.array([np.nan])]):
        scale = magnitudes_of(values)
        assert scale.linear is not None
        assert "0" in scale.axis("trace")["ticktext"]
