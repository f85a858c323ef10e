from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.snapshot import Series
from miscope.testing import ToyFamily
from miscope_views import summary

STEPS = np.array([0, 100, 200])
WINDOWS = {
    "window": np.array(["memorising", "plateau", "generalising", "after"]),
    "start": np.array([0, 50, np.nan, np.nan]),
    "end": np.array([50, 200, np.nan, np.nan]),
    "open": np.array([False, True, False, False]),
    "test_loss": np.array([[4, 5], [5, 6], [np.nan] * 2, [np.nan] * 2]),
    "blocks.0.mlp/rank_crossing": np.array(100.0),
    "verdict": np.array(["memorised only"]),
    "criterion": np.array(["memorised by the end", "generalised by the end"]),
    "value": np.array([50, np.nan]),
    "limit": np.array([200.0, 200]),
    "met": np.array([True, False]),
    "reason": np.array(["by step 200 it had not generalised"]),
}
COMPONENTS = {
    "at": STEPS,
    "mlp/label": np.array(["3", "5", "7"]),
    "mlp/share": np.array([[0, 0, 0], [0.2, 0, 0.1], [0.4, 0.01, 0]]),
    "mlp/state": np.array(["committed", "never", "transient"]),
    "mlp/arrived": np.array([100, np.nan, 100]),
    "mlp/already": np.array([False, False, False]),
    "mlp/half": np.array([100, np.nan, np.nan]),
    "mlp/left": np.array([np.nan, np.nan, 200]),
    "mlp/first_mover": np.array(["3", "7"]),
    "mlp/first_mover_step": np.array(100.0),
    "mlp/transient_count": np.array(1),
    "mlp/homeless_count": np.array(4),
    "W_E/key_share": np.array([0.1, 0.4, 0.6]),
    "W_E/crossover": np.array(200.0),
}


def shown(**reads: object) -> ViewData:
    return ViewData(
        variant=make_variant(ToyFamily(), {}),
        step=None,
        steps=STEPS,
        step_label="epoch",
        artifacts={name.replace("_", "."): arrays for name, arrays in reads.items()},  # pyright: ignore
        metrics={"test_loss": Series(steps=STEPS, values=np.array([4.0, 5, 6]))},
    )


def test_windows_that_were_entered_are_shaded_and_told():
    figure = summary.windows(shown(summary_windows=WINDOWS))

    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0, 50), (50, 200)]
    told = [trace.text[0].strip() for trace in figure.data if trace.mode == "text"]
    assert told == ["50 epochs · test 4 → 5", "150 epochs, still open · test 5 → 6"]
    assert "memorised only · blocks.0.mlp: W_out below W_in in rank" in figure.layout.title.subtitle.text


def test_components_that_never_came_have_no_ribbon_and_the_rest_say_what_became_of_them():
    figure = summary.components(shown(summary_components=COMPONENTS), site="mlp")

    assert list(figure.layout.yaxis.ticktext) == ["3", "7"]
    told = [trace.text[0].strip() for trace in figure.data if trace.mode == "text"]
    assert told == ["committed, 40%", "transient, once 10%"]
    ribbon = figure.data[1]
    assert list(np.asarray(ribbon.y)) == pytest.approx([0, 0.23, 0.46])
    assert "first 3, 7 at epoch 100 · 1 transient, 4 neurons homeless · W_E crosses over at 200" in (
        figure.layout.title.subtitle.text
    )


def test_of_a_record_that_begins_later_it_is_said_what_was_there_by_then():
    late = COMPONENTS | {
        "at": STEPS + 100,
        "mlp/already": np.array([True, False, True]),
        "mlp/first_mover": np.array([], dtype=str),
        "mlp/first_mover_step": np.array(np.nan),
    }
    figure = summary.components(shown(summary_components=late), site="mlp")

    assert "3, 7 there by epoch 100, where the record begins · 1 transient" in figure.layout.title.subtitle.text


def test_the_verdict_is_a_table_whose_first_failure_decides():
    figure = summary.classification(shown(summary_windows=WINDOWS))

    assert [list(column) for column in figure.data[0].cells["values"]] == [
        ["memorised by the end", "generalised by the end"],
        ["50", "never"],
        ["200", "200"],
        ["met", "not met: decides"],
    ]
    assert figure.layout.title.text == "Verdict: memorised only"
    assert figure.layout.annotations[0].text == "by epoch 200 it had not generalised"
