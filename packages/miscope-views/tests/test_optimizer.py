from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.optimizer import moments, update_over_decay

STEPS = np.array([10, 20])


def shown(arrays: dict[str, Any], name: str = "optimizer.moments") -> ViewData:
    made = {key: np.asarray(values, dtype=np.float64) for key, values in arrays.items()} | {"step": STEPS}
    return ViewData(variant=make_variant(ToyFamily(), {}), step=None, steps=STEPS, artifacts={name: made})


def test_averages_are_drawn_as_mean_and_largest_of_all_or_as_the_mean_of_each() -> None:
    arrays = {"W_E/sqrt_v_mean": [1, 2], "total/sqrt_v_mean": [3, 4], "total/sqrt_v_max": [5, 0]}
    together = moments(shown(arrays), quantity="sqrt v", of="all weights")
    assert {trace.name: list(trace.y) for trace in together.data} == {"mean": [3, 4], "max": [5, 0]}
    assert together.layout.yaxis.type is None, "a largest value of 0 has no place on a logarithmic axis"
    each = moments(shown(arrays), quantity="sqrt v", of="each weight")
    assert {trace.name: list(trace.y) for trace in each.data} == {"W_E": [1, 2], "total": [3, 4]}
    assert each.layout.yaxis.type == "log"


def test_the_ratio_stands_beside_the_level_of_balance_and_what_is_not_decayed_is_left_out() -> None:
    ratios = {"W_E/update_over_decay": [4, 2], "b/update_over_decay": [np.nan] * 2, "total/update_over_decay": [4, 2]}
    figure = update_over_decay(shown(ratios), roles=True)
    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "W_E": [4, 2],
        "total": [4, 2],
        "in balance": [1, 1],
    }
    assert [trace.name for trace in update_over_decay(shown(ratios), roles=False).data] == ["total", "in balance"]
    with pytest.raises(DoesNotApply, match="no weight is decayed apart from the gradient"):
        update_over_decay(shown({"b/update_over_decay": [np.nan] * 2, "total/update_over_decay": [1, 1]}), roles=True)
