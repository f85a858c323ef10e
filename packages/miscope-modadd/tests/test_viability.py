"""Margins of sets of frequencies: published numbers, the symmetry, and the figures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import miscope_modadd
from miscope import Snapshot, ViewData
from miscope.family import make_variant
from miscope.model_context import ModelContext
from miscope.testing import check_analyzer, check_view, tables
from miscope_modadd.analyzers.clock_margin import best_margin, canonical, margin, margins_at_random
from miscope_modadd.analyzers.viability import MARGINS
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.views import viability


@pytest.mark.slow
def test_margins_keep_the_contract():
    check_analyzer(MARGINS, MlpFamily(), plugins=tables(modadd=miscope_modadd), params={"prime": 7})


@pytest.mark.slow
@pytest.mark.parametrize("view", viability.VIEWS, ids=lambda view: view.name)
def test_every_view_draws_a_trained_model(view):
    check_view(view, MlpFamily(), plugins=tables(modadd=miscope_modadd), params={"prime": 7})


def test_the_papers_sets():
    assert margin([14, 35, 41, 42, 52], 113) == pytest.approx(2.410176433939686, rel=1e-9)
    assert margin([6, 23, 37, 39, 41], 113) == pytest.approx(0.8281766901039882, rel=1e-9)


@pytest.mark.parametrize(
    ("p", "frequencies", "distance"),
    [
        (59, [5, 15, 21], 1.3705),
        (101, [35, 41, 43, 44], 1.9090),
        (101, [19, 36, 50], 1.1686),
        (113, [13, 15, 36, 40], 1.6653),
        (113, [9, 33, 38, 55], 1.5215),
        (109, [4, 14, 27], 0.9578),
    ],
)
def test_the_original_systems_distances(p, frequencies, distance):
    assert (2 * margin(frequencies, p)) ** 0.5 == pytest.approx(distance, abs=5e-5)


@pytest.mark.parametrize(
    ("p", "count", "distance"),
    [(59, 3, 1.5530), (101, 4, 1.9608), (113, 2, 0.6123), (113, 3, 1.2997), (113, 4, 1.9412)],
)
def test_the_original_systems_best_distances(p, count, distance):
    assert (2 * best_margin(count, p)) ** 0.5 == pytest.approx(distance, abs=5e-5)


def test_the_best_set_that_holds_1_is_the_best_of_all():
    every = max(margin(chosen, 23) for chosen in combinations(range(1, 12), 3))
    assert best_margin(3, 23) == pytest.approx(every)
    assert np.isnan(best_margin(3, 23, most=5))
    assert np.isnan(best_margin(2, 15))


@given(st.sets(st.integers(1, 50), min_size=1, max_size=5), st.integers(1, 100))
@settings(deadline=None, max_examples=30)
def test_a_unit_times_all_frequencies_changes_nothing(frequencies, unit):
    image = [min(k * unit % 101, 101 - k * unit % 101) for k in frequencies]
    assert margin(image, 101) == pytest.approx(margin(sorted(frequencies), 101))
    assert canonical(image, 101) == canonical(sorted(frequencies), 101)


def test_equivalent_sets_have_one_canonical_image_and_others_another():
    assert canonical([3, 11, 15, 50], 113) == canonical([1, 5, 21, 34], 113)
    assert canonical([3, 11, 15, 50], 113) != canonical([9, 33, 38, 55], 113)
    assert canonical([], 113) == ()


def test_random_sets_are_distinct_frequencies_and_the_same_at_every_call():
    drawn = margins_at_random(56, 113, 3, 0)
    assert drawn == pytest.approx([margin(range(1, 57), 113)] * 3)
    assert np.array_equal(margins_at_random(4, 113, 50, 1), margins_at_random(4, 113, 50, 1))


def snapshot(keys):
    context = ModelContext(MlpFamily(), make_variant(MlpFamily(), {"prime": 113}))
    label = np.arange(1, 57).astype(str)
    own = np.where(np.isin(np.arange(1, 57), keys), 0.04, 0.0)
    reads = {
        "keys.votes": {"label": label, "key": np.isin(np.arange(1, 57), keys)},
        "factors.shares": {"logits/own_answer": own},
    }
    given = {"probe": context.probe(), "bases": context.bases, "artifacts": reads}
    return Snapshot(variant=context.variant, step=0, options=MARGINS.options(), **given)


def test_equal_amplitudes_weigh_alike_and_the_worth_of_a_frequency_is_the_margin_it_adds():
    outputs = MARGINS.compute(snapshot([14, 35, 41, 42]))
    assert outputs["weighted_margin"] == pytest.approx(outputs["margin"])
    assert outputs["quality"][13] == pytest.approx(margin([14, 35, 41, 42], 113) - margin([35, 41, 42], 113))
    assert np.isnan(outputs["quality"][0])
    assert outputs["margin"] <= outputs["best_margin"]
    assert 0 <= outputs["rank"] <= 1
    assert outputs["canonical"].sum() == 4


def test_without_a_key_frequency_there_is_no_margin():
    outputs = MARGINS.compute(snapshot([]))
    assert outputs["count"] == 0
    assert np.isnan([outputs["margin"], outputs["best_margin"], outputs["rank"], *outputs["null"]]).all()
    assert not outputs["canonical"].any()


def shown(arrays, step):
    variant = make_variant(MlpFamily(), {"prime": 113})
    return ViewData(variant=variant, step=step, steps=np.array([0, 9]), artifacts={"viability.margins": arrays})


def test_bars_are_those_of_the_key_frequencies():
    figure = viability.quality(shown(MARGINS.compute(snapshot([14, 35, 41, 42, 52])), 9))
    assert list(figure.data[0].x) == ["14", "35", "41", "42", "52"]
    assert "margin 2.410" in figure.layout.title.subtitle.text
    nothing = viability.quality(shown(MARGINS.compute(snapshot([])), 9))
    assert "no frequency is key here" in nothing.layout.title.subtitle.text


def test_the_margin_stands_beside_the_best_and_random_sets():
    both = [MARGINS.compute(snapshot(keys)) for keys in ([], [14, 35])]
    stacked = {name: np.stack([one[name] for one in both]) for name in both[0]} | {"step": np.array([0, 9])}
    figure = viability.margin(shown(stacked, None))
    names = [trace.name for trace in figure.data[1:]]
    assert names == ["random sets, 95 %", "best set of as many", "key frequencies", "with the logits' amplitudes", ""]
    assert list(figure.data[-1].y) == [0, 2]
