from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views import learning

VARIANT = make_variant(ToyFamily(), {})
PROBE = ToyFamily().probes(VARIANT)["grid"]
STEPS = np.array([0, 10, 20])
N = 25
LEARNT = np.where(PROBE.train, 10.0, np.nan)
ARRAYS = {
    "at": STEPS,
    "window": np.array(3),
    "graduation/1": np.zeros(N),
    "graduation/3": LEARNT,
    "unlearnt/train/share": np.array([1, 0.5, np.nan]),
    "unlearnt/train/low": np.array([np.nan, 0.4, np.nan]),
    "unlearnt/train/high": np.array([np.nan, 0.6, np.nan]),
    "unlearnt/train/count": np.array(15),
    "unlearnt/train/censored": np.array(0),
    "symmetry/swap/test/spearman": np.array(0.61),
    "symmetry/swap/test/null": np.array([-0.02, 0.02]),
    "forgotten": np.arange(N) % 3,
    "never_right": np.arange(N) == 0,
    "forgetting/train/lost": np.array([0, 4]),
    "forgetting/train/gained": np.array([9, 1]),
    "forgetting/train/mean": np.array(0.5),
    "forgetting/train/unforgettable": np.array(0.75),
    "confidence": np.linspace(0, 1, N),
    "variability": np.linspace(0, 0.5, N),
    "correctness": np.linspace(0, 1, N),
    "class": np.array(["0", "1"]),
    "class/test/quartile": np.array([[0, 10, 20], [np.nan] * 3]),
}


def shown(probe: object = PROBE) -> ViewData:
    return ViewData(
        variant=VARIANT,
        step=None,
        steps=STEPS,
        step_label="epoch",
        probe=probe,  # pyright: ignore[reportArgumentType]
        artifacts={"learning.order": ARRAYS},
    )


def test_the_order_is_a_map_of_the_grid_with_blanks_for_what_is_never_learnt():
    figure = learning.order(shown(), window="3")

    np.testing.assert_array_equal(np.asarray(figure.data[0].z), LEARNT.reshape(5, 5))
    assert f"{int(np.isnan(LEARNT).sum())} of 25 never (blank)" in figure.layout.title.subtitle.text
    assert not figure.layout.annotations


def test_without_a_grid_the_order_is_a_sorted_curve():
    figure = learning.order(shown(probe=None), window="3")

    assert figure.data[0].x[-1] == pytest.approx(np.isfinite(LEARNT).mean())
    assert set(figure.data[0].y) == {10}


def test_survival_ends_where_learning_can_no_longer_be_seen_and_tells_the_symmetry():
    figure = learning.survival(shown())

    assert list(figure.data[-1].y) == [1, 0.5]
    assert list(figure.data[1].y) == pytest.approx([1, 0.6])
    assert "test, swap: ρ = 0.61 (shuffled -0.02 to 0.02)" in figure.layout.title.subtitle.text


def test_inputs_never_right_are_not_counted_as_never_forgotten():
    figure = learning.forgetting(shown(), part="train")
    bars = dict(zip(figure.data[-1].x, figure.data[-1].y, strict=True))
    rows = np.asarray(PROBE.train)

    assert bars["never right"] == int(rows[0])
    assert bars["0"] == sum(rows[3::3])
    assert figure.data[-1].y.sum() == rows.sum()


def test_the_same_inputs_are_drawn_for_the_same_seed():
    first, second = (learning.cartography(shown(), seed=1) for _ in range(2))

    assert first.to_json() == second.to_json()
    assert sum(len(trace.x) for trace in first.data) == N


def test_of_a_record_that_begins_later_it_is_said_what_was_learnt_by_then():
    def told(at):
        late = replace(shown(), artifacts={"learning.order": ARRAYS | {"at": at}})
        return learning.order(late, window="3").layout.title.subtitle.text.split(" · ", 1)[1]

    assert told(np.array([0, 10, 20])) == "3 in a row right · 10 of 25 never (blank)"
    assert told(np.array([10, 20, 30])) == (
        "3 in a row right · 10 of 25 never (blank) · 15 by epoch 10, where the record begins"
    )


def test_a_class_that_is_never_half_learnt_has_no_dot():
    figure = learning.by_class(shown())

    assert np.isnan(figure.data[0].y[1])
    assert figure.data[0].y[0] == 10
    assert not figure.layout.annotations
