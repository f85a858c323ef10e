from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import miscope_views
from miscope import ViewData
from miscope.errors import DoesNotApply
from miscope.family import make_variant
from miscope.figures.figure_style import TEST, TRAIN
from miscope.figures.render import gather
from miscope.snapshot import Series
from miscope.testing import ToyFamily, scene, tables
from miscope.view import Member
from miscope_views.behaviour import accuracies, compare, leakage, losses, margins

STEPS = np.array([0, 10, 20, 30])


def series(*values: float) -> Series:
    return Series(steps=STEPS, values=np.array(values))


def shown(seed: int = 0, **more: object) -> ViewData:
    return ViewData(
        variant=make_variant(ToyFamily(), {"seed": seed}),
        step=None,
        steps=STEPS,
        step_label="epoch",
        metrics={
            "test_loss": series(5, 5, 5, 0.1),
            "train_loss": series(5, 1, 0.1, 0.01),
            "train_accuracy": series(0, 0.5, 1, 1),
            "test_accuracy": series(0, 0, 0.2, 1),
        },
        **more,  # pyright: ignore[reportArgumentType]
    )


def only(kind: str) -> ViewData:
    whole = shown()
    return replace(whole, metrics={name: s for name, s in whole.metrics.items() if name.endswith(kind)})


def test_training_and_test_loss_have_their_fixed_colours_on_a_logarithmic_scale():
    figure = losses(only("_loss"))

    assert [(trace.name, trace.line.color) for trace in figure.data] == [("train", TRAIN), ("test", TEST)]
    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[1].y) == pytest.approx([5, 5, 5, 0.1])


def test_accuracies_keep_the_whole_range_in_sight():
    figure = accuracies(only("_accuracy"))

    assert tuple(figure.layout.yaxis.range) == (-0.03, 1.03)


def members(*each: ViewData) -> ViewData:
    told = tuple(Member(label=f"seed={i}", shown=one) for i, one in enumerate(each))
    return replace(each[0], metrics={}, members=told)


def test_variants_are_compared_by_step_by_fraction_or_by_an_event():
    early, late = shown(0, events={"generalised": 10.0}), shown(1, events={"generalised": 30.0})
    both = members(early, late)

    def starts(align: str) -> list[float]:
        return [float(trace.x[0]) for trace in compare(both, metric="loss", align=align, train=False).data]

    assert starts("step") == [0, 0]
    assert starts("generalised") == [-10, -30]
    ends = compare(both, metric="loss", align="fraction", train=False).data
    assert [float(trace.x[-1]) for trace in ends] == [1.0, 1.0]


def test_an_event_that_can_be_dated_in_two_ways_says_which():
    both = members(shown(0, events={"memorised": 10.0}), shown(1, events={"memorised": 30.0}))
    dated = replace(both, definitions={"memorised": "train loss < 0.01"})
    figure = compare(dated, metric="loss", align="memorised", train=False)
    assert figure.layout.xaxis.title.text == "epochs since memorised (train loss < 0.01)"


def test_variants_that_are_compared_are_dated_by_one_definition():
    with scene(ToyFamily(), tables(views=miscope_views), steps=20) as place:
        first, second = place.variants
        store = place.workspace.store
        curves = store.metrics(second.name, ["*_loss"])
        store.truncate_metrics(second.name, -1)
        rows = [(int(s), name, float(v)) for name, c in curves.items() for s, v in zip(c.steps, c.values, strict=True)]
        store.append_metrics(second.name, rows)
        for variant in place.variants:
            assert list(variant.analyze("events.grokking"))
        alone = gather(place.workspace, "behaviour.losses", first.value)
        both = gather(place.workspace, "behaviour.compare", [first.value, second.value])
    assert alone.definitions == {"memorised": "train accuracy ≥ 0.99", "generalised": "test accuracy ≥ 0.99"}
    by_loss = {"memorised": "train loss < 0.01", "generalised": "test loss < 0.01"}
    assert both.definitions == by_loss
    assert [member.shown.definitions for member in both.members] == [by_loss, by_loss]


def test_only_an_axis_of_steps_is_offered_to_the_cursor():
    both = members(shown(0, events={"generalised": 10.0}), shown(1, events={"generalised": 30.0}))

    assert compare(both, metric="loss", align="step", train=False).layout.meta["time_axes"] == ["x"]
    assert compare(both, metric="loss", align="generalised", train=False).layout.meta["time_axes"] == []


def test_a_variant_without_the_event_is_named_instead_of_misplaced():
    both = members(shown(0, events={"generalised": 10.0}), shown(1))

    figure = compare(both, metric="loss", align="generalised", train=False)

    assert [trace.name for trace in figure.data] == ["seed=0"]
    assert figure.layout.title.subtitle.text == "2 variants · not aligned, without 'generalised': seed=1"


def test_a_variant_has_one_colour_for_both_of_its_curves():
    figure = compare(members(shown(0), shown(1)), metric="loss", align="step", train=True)
    colours = {trace.name: trace.line.color for trace in figure.data}

    assert len(figure.data) == 4
    assert len(set(colours.values())) == 2
    assert [trace.line.dash for trace in figure.data] == ["dot", "solid", "dot", "solid"]


MARGINS = {
    "step": STEPS,
    "test_margin_mean": np.array([0.0, 1, 2, 3]),
    "test_margin_p01": np.array([-1.0, 0, 1, 2]),
    "test_margin_min": np.array([-3.0, -2, -1, 0]),
}


def test_margins_show_mean_worst_percent_and_worst_input():
    figure = margins(replace(shown(), artifacts={"behaviour.metrics": MARGINS}), split="test")
    drawn = {trace.name: list(trace.y) for trace in figure.data if trace.name}

    assert drawn == {"mean": [0, 1, 2, 3], "1 % quantile": [-1, 0, 1, 2], "smallest": [-3, -2, -1, 0]}


def test_leakage_splits_the_test_set_by_symmetry():
    arrays = {"step": STEPS, "train_loss": STEPS, "test_loss_leaked": STEPS + 1.0, "test_loss_clean": STEPS + 2.0}

    figure = leakage(replace(shown(), artifacts={"behaviour.metrics": arrays}), quantity="loss")

    assert [trace.name for trace in figure.data] == [
        "training data",
        "test, an image in training",
        "test, no image in training",
    ]


def test_leakage_does_not_apply_without_symmetries():
    arrays = {"step": STEPS, "train_loss": STEPS, "test_loss": STEPS}
    with pytest.raises(DoesNotApply, match="no symmetries"):
        leakage(replace(shown(), artifacts={"behaviour.metrics": arrays}), quantity="loss")
