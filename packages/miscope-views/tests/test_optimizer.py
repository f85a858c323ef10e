from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.optimizer import effective_rate, moments, rates, update_over_decay
from miscope_views.optimizer_directions import alignment, last_update

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


def test_angles_stand_beside_one_level_for_each_rate_and_decay() -> None:
    angles = {"W_E/angle": [0.2, 0.1], "b/angle": [0.3, 0.1], "W_U/angle": [0.1, 0.1]}
    levels = {"W_E": [0.05, 0.05], "b": [0.05, 0.05], "W_U": [np.nan, np.nan]}
    arrays = angles | {f"{role}/equilibrium_angle": values for role, values in levels.items()}
    arrays |= {f"{role}/equilibrium_angle_without_momentum": np.multiply(4, values) for role, values in levels.items()}
    figure = rates(shown(arrays, "optimizer.rates"), quantity="angle")
    assert [trace.name for trace in figure.data] == ["W_E", "b", "W_U", "equilibrium", "without β₁"]
    assert list(figure.data[-1].y) == pytest.approx([0.2, 0.2])
    moves = {"W_E/relative_update": [1, 2], "total/relative_update": [3, 0]}
    figure = rates(shown(moves, "optimizer.rates"), quantity="relative update")
    assert {trace.name: list(trace.y) for trace in figure.data} == {"W_E": [1, 2], "total": [3, 0]}


def test_the_effective_rate_is_a_median_between_its_quantiles() -> None:
    arrays = {"b/effective_rate": [[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]], "b/effective_rate_median": [3, 4]}
    figure = effective_rate(shown(arrays, "optimizer.rates"), of="b")
    assert [list(trace.y) for trace in figure.data] == [[1, 2], [5, 6], [2, 3], [4, 5], [3, 4]]
    assert figure.layout.yaxis.type == "log"


def test_cosines_lie_over_the_band_of_random_directions() -> None:
    pairs = ("update_gradient", "update_momentum", "update_weights")
    pairs += ("gradient_momentum", "gradient_weights", "momentum_weights")
    arrays = {f"{name}/{pair}": [0.5, -0.5] for name in ("b", "total") for pair in pairs}
    arrays |= {"b/null": [1.4, 1.4], "total/null": [0.2, 0.2]}
    every = alignment(shown(arrays, "optimizer.alignment"), pair="every pair", of="total")
    assert len(every.data) == 8
    assert list(every.data[1].y) == pytest.approx([0.2, 0.2])
    one = alignment(shown(arrays, "optimizer.alignment"), pair="update, gradient", of="total")
    assert [trace.name for trace in one.data[2:]] == ["b", "total"]
    assert list(one.data[1].y) == [1, 1], "no cosine is more than 1"


def test_the_parts_of_an_update_that_nobody_knows_are_left_out_with_a_word() -> None:
    arrays = {f"total/{part}_share": [np.nan] * 2 for part in ("gradient", "memory")} | {
        "total/decay_share": [0.1, 0.2]
    }
    arrays |= {"total/move_length": [1, 1]}
    figure = last_update(shown(arrays, "optimizer.last_update"), measure="share of the move", of="total")
    assert [trace.name for trace in figure.data] == ["weight decay"]
    assert "nobody knows the newest gradient" in figure.layout.title.subtitle.text
