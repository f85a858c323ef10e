from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.figures.axes import placed
from miscope.figures.event_marks import add_event_marks
from miscope.snapshot import Series
from miscope.testing import ToyFamily
from miscope_views.events import definitions, slingshots, timeline

STEPS = np.arange(0, 1001, 10)
GROKKED = {
    "grokked": 1.0,
    "censored": 0.0,
    "delay": 750.0,
    "delay_at_least": np.nan,
    "ratio": 16.0,
    "memorised": 50.0,
    "generalised": 800.0,
    "first": 0.0,
    "last": 1000.0,
    "diverged": 0.0,
    "fell": 1.0,
    "rebound": 0.0,
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    metrics={name: Series(steps=STEPS, values=np.exp(-STEPS / 100)) for name in ("train_loss", "test_loss")},
    events={"memorised": 50.0, "generalised": 800.0},
)


def shown(facts: Mapping[str, float | np.ndarray]) -> ViewData:
    arrays = {name: np.asarray(value) for name, value in facts.items()}
    arrays |= {"memorised/ci": np.array([40.0, 70.0]), "generalised/ci": np.array([np.nan, np.nan])}
    arrays = {"train_divergences": np.zeros((0, 2)), "test_divergences": np.zeros((0, 2))} | arrays
    return replace(SHOWN, artifacts={"events.grokking": arrays | {"slingshots": np.array([300])}})


def test_events_stand_below_the_losses_with_their_intervals():
    train, test, events, numbers, slingshots = timeline(shown(GROKKED)).data

    assert (train.name, test.name, slingshots.name) == ("train", "test", "slingshot")
    assert list(events.x) == [50, 800]
    assert list(events.y) == ["memorised", "generalised"]
    assert list(events.error_x.array) == [20, 0]
    assert list(events.error_x.arrayminus) == [10, 0]
    assert [text.strip() for text in numbers.text] == ["50  [40, 70]", "800"]


def test_rows_of_events_leave_room_at_the_foot_of_the_plot_and_no_mark_goes_through_their_numbers():
    figure = timeline(shown(GROKKED))
    assert list(figure.layout.yaxis2.range) == [2.2, -0.5]
    assert list(figure.layout.yaxis2.categoryarray) == ["memorised", "generalised"]
    add_event_marks(figure, placed(figure), ["x"], shown(GROKKED))
    assert {(shape.y0, shape.y1) for shape in figure.layout.shapes} == {tuple(figure.layout.yaxis.domain)}


def test_where_nothing_happened_the_losses_stand_alone():
    figure = timeline(replace(shown({**GROKKED, "memorised": np.nan, "generalised": np.nan}), events={}))

    assert [trace.name for trace in figure.data] == ["train", "test", "slingshot"]
    assert figure.layout.yaxis.domain is None
    assert figure.layout.title.subtitle.text.endswith("not memorised by epoch 1,000")


def test_every_definition_that_was_met_has_its_row_with_its_interval():
    without = ("train_jump", "test_jump", "peak", "half", "complete", "steepest", "half_linear")
    never = dict.fromkeys(without, np.nan)
    crossings = {f"{split}_{kind}": np.full(3, np.nan) for split in ("train", "test") for kind in ("first", "settled")}
    crossings["test_first"] = np.array([600.0, 700.0, np.nan])
    facts = GROKKED | never | {"memorised": 50.0, "onset": 500.0, "generalised": 800.0}
    train, test = definitions(shown(facts | crossings | {"threshold": np.array([1.0, 1e-2, 1e-4])})).data

    assert list(train.y) == ["memorised"]
    assert list(train.error_x.array) == [20]
    crossed = ["test loss < 1, first", "test loss < 0.01, first"]
    assert list(test.y) == ["onset of test loss fall", *crossed, "generalised"]
    assert list(test.x) == [500, 600, 700, 800]
    assert list(test.error_x.array) == [0, 0, 0, 0]


def test_numbers_stand_where_there_is_room():
    numbers = timeline(shown(GROKKED)).data[3]

    assert list(numbers.textposition) == ["middle right", "middle left"]
    assert list(numbers.x) == [70, 800]


@pytest.mark.parametrize(
    ("name", "learnt"), [("generalised", "memorised, generalised"), ("fell", "memorised, not generalised")]
)
def test_of_one_record_no_delay_is_told(name: str, learnt: str):
    one = {"first": 300.0, "last": 300.0, "memorised": 300.0, "censored": 1.0, "fell": 0.0, "generalised": np.nan}
    subtitle = timeline(shown({**GROKKED, **one, name: 300.0 * (name != "fell")})).layout.title.subtitle

    assert subtitle.text == f"toy.sum/v5-seed0-width16 · one record, at epoch 300: {learnt}"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "generalised 750 epochs after it memorised (16.0 times as late)"),
        (
            {"grokked": 0.0, "censored": 1.0, "delay_at_least": 950.0},
            "not generalised within 950 epochs of memorising",
        ),
        (
            {"grokked": 0.0, "fell": 0.0, "memorised": np.nan, "generalised": np.nan, "delay": np.nan},
            "not memorised by epoch 1,000 · the test loss never fell to half of its first value and of guessing",
        ),
        (
            {"rebound": 1.0},
            "generalised 750 epochs after it memorised (16.0 times as late) · the test loss rose again at the end",
        ),
        (
            {"grokked": 0.0, "delay": 10.0, "ratio": 1.2},
            "generalised 10 epochs after it memorised: without delay (1.2 times as late)",
        ),
        (
            {"grokked": 0.0, "delay": -10.0, "ratio": 0.8},
            "generalised 10 epochs before it memorised: without delay (0.8 times as late)",
        ),
        (
            {"grokked": np.nan, "delay": np.nan, "ratio": np.nan, "first": 300.0, "memorised": 300.0},
            "memorised by epoch 300, where its record begins: the delay is not known",
        ),
        (
            {"delay": np.nan, "ratio": np.nan, "delay_at_least": 500.0, "first": 300.0, "memorised": 300.0},
            "generalised at least 500 epochs after it memorised, which was before epoch 300",
        ),
        (
            {"diverged": 1.0, "train_divergences": np.array([[600.0, 700.0]])},
            "generalised 750 epochs after it memorised (16.0 times as late)"
            " · train loss diverged at epoch 600, back by 700",
        ),
        (
            {"diverged": 1.0, "test_divergences": np.array([[600.0, np.nan]])},
            "generalised 750 epochs after it memorised (16.0 times as late) · test loss diverged at epoch 600 for good",
        ),
    ],
)
def test_the_verdict_is_said_in_words(changes: dict[str, float], verdict: str):
    subtitle = timeline(shown({**GROKKED, **changes})).layout.title.subtitle.text
    assert subtitle.removeprefix("toy.sum/") == f"v5-seed0-width16 · {verdict}"


def test_a_divergence_is_marked_at_its_own_height():
    given = flung([300], train_divergences=np.array([[300.0, 400.0]]))
    loss = np.where(STEPS == 300, 30.0, 0.02)
    given = replace(given, metrics={"train_loss": Series(steps=STEPS, values=loss)})

    assert list(timeline(given).data[-1].y) == [30]
    figure = slingshots(given)
    assert list(figure.data[1].y) == [30]
    assert "1 rises through 0.01, or of a divergence from above it (1), in 1 bursts, the first at 300" in (
        figure.layout.title.subtitle.text
    )


def test_a_variant_without_recorded_losses_shows_its_events_alone():
    figure = timeline(replace(shown(GROKKED), metrics={}))
    assert [trace.name for trace in figure.data] == ["event, 95 %", None, "slingshot"]


def flung(rises: list[int], **more: float | np.ndarray) -> ViewData:
    facts = shown(GROKKED | {"memorised": 50.0} | more)
    arrays = facts.artifacts["events.grokking"] | {"slingshots": np.array(rises, dtype=np.int64)}
    return replace(facts, artifacts={"events.grokking": arrays})


def test_slingshots_are_marked_on_the_loss_and_counted():
    figure = slingshots(flung([300, 500, 600, 605]))
    loss, tops, count = figure.data

    assert loss.name == "train"
    assert list(tops.y) == pytest.approx(np.exp([-3.0, -5, -6, -6.05]), rel=1e-2)
    assert (list(count.x), list(count.y)) == ([0, 300, 500, 600, 605, 1000], [0, 1, 2, 3, 4, 4])
    assert "4 rises through 0.01 in 3 bursts, the first at 300" in figure.layout.title.subtitle.text


def test_the_size_of_the_weights_has_its_panel_where_it_is_known():
    norms = {"step": STEPS[:3], "total/squares": np.array([9.0, 8, 7])}
    given = flung([300])
    figure = slingshots(replace(given, artifacts=given.artifacts | {"parameters.norms": norms}))

    assert list(figure.data[-1].y) == [9, 8, 7]
    assert figure.layout.xaxis.anchor == "y3"


def test_a_run_without_slingshots_says_why():
    assert "never rises" in slingshots(flung([])).layout.title.subtitle.text
    never = slingshots(flung([], memorised=np.nan))
    assert "it never memorised" in never.layout.title.subtitle.text
    with pytest.raises(DoesNotApply, match="no training loss was recorded"):
        slingshots(replace(flung([]), metrics={}))
