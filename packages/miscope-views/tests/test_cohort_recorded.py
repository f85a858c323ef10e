"""Recorded metrics of several variants over each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.snapshot import Series
from miscope.testing import ToyFourierFamily
from miscope.view import Member
from miscope_views.cohort_recorded import RECORDED_VIEW, _legend

STEPS = np.array([0, 50, 100])


def shown(*values: list[float] | None, events: dict[str, float] | None = None) -> ViewData:
    """A member for each list of values of 'a.b/trace'; None has recorded a loss alone."""
    members = []
    for seed, one in enumerate(values):
        metrics = {"train_loss": np.array([1.0, 0.1, 0.01])} | ({} if one is None else {"a.b/trace": np.array(one)})
        data = ViewData(
            variant=make_variant(ToyFourierFamily(), {"seed": seed}),
            step=None,
            steps=STEPS,
            metrics={name: Series(steps=STEPS, values=array) for name, array in metrics.items()},
            events=events or {},
        )
        members.append(Member(label=f"seed={seed}", shown=data))
    return ViewData(variant=members[0].shown.variant, step=None, steps=STEPS, members=tuple(members))


def drawn(told: ViewData, **controls: str):
    return RECORDED_VIEW.draw(told, **{"metric": "a.b/trace", "align": "step", "scale": "by range"} | controls)


def test_each_variant_that_recorded_it_has_a_curve_and_the_others_are_counted():
    figure = drawn(shown([1.0, 2.0, 3.0], None, [2.0, 3.0, 4.0]))
    assert [trace.name for trace in figure.data] == ["seed=0", "seed=2"]
    assert figure.layout.title.subtitle.text.startswith("2 of 3 variants")


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, 2.0, 3.0], "linear"), ([1.0, 20.0, 300.0], "log"), ([-300.0, 1.0, 300.0], "both sides of 0")],
)
def test_an_axis_is_logarithmic_where_its_numbers_span_much(values: list[float], kind: str):
    axis = drawn(shown(values)).layout.yaxis
    told = "both sides of 0" if "symmetric log" in axis.title.text else axis.type or "linear"
    assert told == kind
    assert drawn(shown(values), scale="linear").layout.yaxis.type is None


def test_hovering_tells_the_number_itself_whatever_the_axis():
    (trace,) = drawn(shown([-300.0, 1.0, 300.0])).data
    assert list(trace.customdata) == [-300, 1, 300]
    assert list(trace.y) != [-300, 1, 300]


def test_variants_are_laid_over_each_other_since_an_event():
    figure = drawn(shown([1.0, 2.0, 3.0], events={"memorised": 50.0}), align="memorised")
    assert list(figure.data[0].x) == [-50, 0, 50]
    told = shown([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], events={"memorised": 50.0})
    second = replace(told.members[1], shown=replace(told.members[1].shown, events={}))
    figure = drawn(replace(told, members=(told.members[0], second)), align="memorised")
    assert "not aligned, without 'memorised': seed=1" in figure.layout.title.subtitle.text


def test_what_nobody_recorded_is_no_figure():
    with pytest.raises(DoesNotApply, match=r"none of them recorded 'a\.b/trace' on such an axis"):
        drawn(shown(None))


def test_the_choice_of_metrics_is_what_any_of_them_recorded():
    choice = RECORDED_VIEW.controls[0]
    assert list(choice.options_from(shown(None, [1.0, 2.0, 3.0]))) == ["a.b/trace", "learning_rate", "train_loss"]


def test_the_learning_rate_is_known_without_being_recorded():
    told = shown([1.0, 2.0, 3.0])
    variant = make_variant(ToyFourierFamily(), {}, {"learning_rate": 0.01, "warmup_steps": 100})
    (member,) = told.members
    warmed = Member(label="warm", shown=replace(member.shown, variant=variant))
    figure = drawn(replace(told, members=(warmed,)), metric="learning_rate", scale="linear")
    assert figure.data[0].y.tolist() == pytest.approx([0, 0.005, 0.01])
    assert not figure.layout.showlegend


def test_a_long_label_leaves_room_for_the_curves():
    told = _legend("lal.transformer, weight_decay=1.5, no_decay=W_E + W_pos + *.ln1.* + *.ln2.* + ln_final.*")
    assert told == "lal.transformer,<br>weight_decay=1.5, no_decay=W_E<br>+ W_pos + *.ln1.* + ..."
    assert _legend("seed=3") == "seed=3"


def test_a_share_of_right_answers_is_on_a_linear_axis_however_far_it_rises():
    told = shown([1.0, 2.0, 3.0])
    (member,) = told.members
    accuracy = {"test_accuracy": Series(steps=STEPS, values=np.array([0.0, 0.01, 1.0]))}
    figure = drawn(
        replace(told, members=(replace(member, shown=replace(member.shown, metrics=accuracy)),)), metric="test_accuracy"
    )
    assert figure.data[0].y.tolist() == pytest.approx([0.0, 0.01, 1.0], abs=1e-7)
    assert figure.layout.yaxis.type is None


def test_of_very_many_records_hovering_tells_the_number_of_the_point():
    steps = np.arange(10_000)
    told = shown([1.0, 2.0, 3.0])
    (member,) = told.members
    long = {"a.b/trace": Series(steps=steps, values=np.sin(steps / 50) * steps)}
    (trace,) = drawn(
        replace(told, members=(replace(member, shown=replace(member.shown, metrics=long)),)), scale="linear"
    ).data
    assert len(trace.x) < 5000
    np.testing.assert_allclose(trace.customdata, trace.y, rtol=1e-6)
