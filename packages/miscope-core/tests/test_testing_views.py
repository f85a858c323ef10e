"""What the test kit tells of a view that would fail, or mislead, later and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Analyzer, Choice, Grain, Needs, Number, Snapshot, Toggle, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.testing import check_view, tables


def largest(snapshot: Snapshot) -> Arrays:
    """Largest entry of each weight."""
    return {name: np.asarray(float(tensor.max())) for name, tensor in snapshot.weights.items()}


LARGEST = Analyzer(
    name="check.largest",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=largest,
    needs=Needs(weights=("W_E", "W_U")),
    outputs={"ROLE": "() its largest entry"},
)
OTHER = replace(LARGEST, name="check.other")


def over_time(shown: ViewData) -> np.ndarray:
    return shown.artifacts["check.largest"]["W_E"]


def draw(shown: ViewData) -> Any:
    """Largest entry over training."""
    return go.Figure(go.Scatter(y=over_time(shown)))


GOOD = View(
    name="check.view", title="Largest", grain=Grain.TRAJECTORY, needs=Needs(reads=("check.largest",)), draw=draw
)


def over_steps(shown: ViewData) -> Any:
    """Largest entry at its step, along an axis that is titled so."""
    return go.Figure(go.Scatter(x=over_time(shown), y=shown.steps)).update_layout(yaxis_title=shown.step_label)


def test_an_axis_that_is_titled_as_steps_must_be_said_to_count_them():
    view = replace(GOOD, draw=over_steps)
    with pytest.raises(AssertionError) as told:
        check_view(view, plugins=tables(view, LARGEST))
    assert str(told.value).split("\n")[0] == (
        "check.view: the axis yaxis is titled 'epoch' and is none of those that count steps; say time_axis='y', or "
        "name it in layout.meta['time_axes']"
    )
    right = replace(view, time_axis="y")
    check_view(right, plugins=tables(right, LARGEST))


def of_no_array(shown: ViewData) -> Any:
    """Of an array that is not there."""
    return go.Figure(go.Scatter(y=shown.artifacts["check.largest"]["W_Q"]))


def of_two(shown: ViewData) -> Any:
    """The second checkpoint alone."""
    return go.Figure(go.Scatter(y=[over_time(shown)[1]]))


def of_numbers(shown: ViewData) -> Any:
    """A range that must be of numbers."""
    return go.Figure(go.Scatter(y=[int(over_time(shown)[-1] * 100)]))


def a_dict(shown: ViewData) -> Any:
    """The traces, as plain data."""
    return {"data": []}


def another(shown: ViewData) -> Any:
    """Another point at every call."""
    return go.Figure(go.Scatter(y=np.random.default_rng().normal(size=2)))


def of_objects(shown: ViewData) -> Any:
    """Points that carry what no browser can be sent."""
    return go.Figure(go.Scatter(y=[1], customdata=[object()]))


def in_place(shown: ViewData) -> Any:
    """Scaled by its first entry, where it lies."""
    over_time(shown)[:] /= 2
    return draw(shown)


def of_weights(shown: ViewData) -> Any:
    """The weights without those that are small."""
    return go.Figure(go.Heatmap(z=shown.weights["W_E"].clamp_(min=0).numpy()))


def untitled(shown: ViewData) -> Any:
    """Without a title."""
    return go.Figure(go.Scatter(y=[1]), layout={"title": {"text": " "}})


def beside(shown: ViewData) -> Any:
    """Beside another, which may be there."""
    return go.Figure(go.Scatter(y=shown.artifacts["check.other"]["W_E"]))


def chosen(shown: ViewData, *, weight: str) -> Any:
    """One of the weights."""
    return go.Figure(go.Scatter(y=shown.artifacts["check.largest"][weight]))


FAILS = "Raise DoesNotApply for what cannot be drawn."
OF_WEIGHTS = replace(GOOD, grain=Grain.CHECKPOINT, needs=Needs(weights=("W_E",)), draw=of_weights)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (
            replace(GOOD, needs=Needs(reads=("check.nothing",))),
            "check.view reads 'check.nothing', and no analyzer of that name is in the tables it is checked with; pass "
            "check_view `plugins` that hold it",
        ),
        (replace(GOOD, draw=of_no_array), f"check.view fails: KeyError: 'W_Q'.\n{FAILS}"),
        (
            replace(GOOD, draw=of_two),
            "check.view fails where there is the checkpoint of step 0 alone: IndexError: index 1 is out of bounds for "
            f"axis 0 with size 1.\n{FAILS}",
        ),
        (
            replace(GOOD, draw=of_numbers),
            f"check.view fails where its numbers are NaN: ValueError: cannot convert float NaN to integer.\n{FAILS}",
        ),
        (
            replace(GOOD, draw=a_dict),
            "'check.view' drew dict, not a figure.\nThe function of a view returns a plotly Figure.\n"
            "Return plotly.graph_objects.Figure(...).",
        ),
        (replace(GOOD, draw=another), "check.view draws another figure the second time"),
        (
            replace(GOOD, draw=of_objects),
            f"check.view fails: TypeError: Object of type object is not JSON serializable.\n{FAILS}",
        ),
        (
            replace(GOOD, draw=in_place),
            f"check.view fails: ValueError: output array is read-only.\n{FAILS}",
        ),
        (OF_WEIGHTS, "check.view changed what it was shown: weights 'W_E'; copy before writing"),
        (replace(GOOD, draw=untitled), "check.view: the title of its figure is empty"),
        (
            replace(GOOD, needs=Needs(optional=("check.other",)), draw=beside),
            "check.view fails where nothing optional was computed (check.other): KeyError: 'check.other'.\n" + FAILS,
        ),
        (
            replace(GOOD, draw=chosen, controls=(Choice(name="weight", options=("W_E", "W_Q")),)),
            f"check.view fails with {{'weight': 'W_Q'}}: KeyError: 'W_Q'.\n{FAILS}",
        ),
        (
            replace(GOOD, draw=lambda shown: draw(shown)),
            "check.view: its drawing function needs a docstring, whose first line is its summary",
        ),
        (
            replace(GOOD, controls=(Toggle(name="locked"),)),
            "the view 'check.view': its control 'locked' is given to `draw` by keyword, and `draw` takes no 'locked'",
        ),
        (
            replace(GOOD, draw=chosen),
            "the view 'check.view': its `draw` needs 'weight', and it has no control of that name",
        ),
        (
            replace(GOOD, controls=(Number(name="step", default=0),)),
            "the view 'check.view': its control 'step' cannot be turned: that word is miscope's own wherever a view is "
            "drawn",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else value.draw.__name__,
)
def test_what_would_fail_later_is_told_now(view: View, sentence: str) -> None:
    with pytest.raises(AssertionError) as told:
        check_view(view, plugins=tables(LARGEST, OTHER, view))
    assert str(told.value).partition("\nassert ")[0] == sentence


def careful(shown: ViewData) -> Any:
    """Draws where there is something to draw, and refuses elsewhere."""
    values = over_time(shown)
    if len(values) < 2 or np.isnan(values).all():
        raise DoesNotApply("there is nothing to compare")
    return go.Figure(go.Scatter(y=[round(1000 * values[1])]))


@pytest.mark.parametrize("drawing", [draw, careful])
def test_a_view_that_draws_everywhere_or_says_why_not_passes(drawing: Callable[..., Any]) -> None:
    check_view(replace(GOOD, draw=drawing), plugins=tables(LARGEST, replace(GOOD, draw=drawing)))
