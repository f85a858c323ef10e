"""The course of a number over training, with few points through which the same line goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.tabulating.curves import curves_of
from miscope.testing import tables

NAME, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> BoundWorkspace:
    """Two variants that were never trained, one with a metric of 1,000 steps."""
    workspace = open_bound(tmp_path_factory.mktemp("curves"), tables())
    for seed in (0, 1):
        workspace.store.save_variant(workspace.variant("toy.sum", seed=seed).value)
    rows = [(step, "wave", float((step * 7) % 101)) for step in range(1000)]
    rows[333], rows[500] = (333, "wave", 900.0), (500, "wave", float("nan"))
    workspace.store.append_metrics(NAME, rows)
    return workspace


def test_of_each_part_of_the_steps_the_ends_and_the_extremes_are_kept(place: BoundWorkspace):
    found = curves_of(place.value.index, [NAME, OTHER], "wave", parts=10)
    assert list(found) == [NAME]
    curve = found[NAME]
    assert curve[0] == (0, 0.0)
    assert curve[-1] == (999, float((999 * 7) % 101))
    assert (333, 900.0) in curve
    assert list(curve) == sorted(curve)
    assert len(curve) <= 40
    for begin in range(0, 1000, 100):
        steps = [step for step in range(begin, begin + 100) if step != 500]
        values = [900.0 if step == 333 else float((step * 7) % 101) for step in steps]
        kept = [value for step, value in curve if begin <= step < begin + 100]
        assert (min(kept), max(kept)) == (min(values), max(values))


def test_a_metric_of_fewer_steps_is_there_whole(tmp_path: Path):
    workspace = open_bound(tmp_path, tables())
    variant = workspace.variant("toy.sum", seed=0)
    list(variant.train(steps=5, threads=1))
    steps, values = variant.metric("test_loss")
    found = curves_of(workspace.value.index, [variant.name], "test_loss")[variant.name]
    assert found == tuple(zip(map(int, steps), map(float, values), strict=True))


def test_the_number_of_an_instrument_is_that_of_its_last_recipe(tmp_path: Path):
    workspace = open_bound(tmp_path, tables())
    variant = workspace.variant("toy.sum", seed=0)
    list(variant.train(steps=5, threads=1))
    variant.analyze("parameters.norms")
    found = curves_of(workspace.value.index, [variant.name], "parameters.norms/total/squares")[variant.name]
    assert [step for step, _ in found] == variant.steps
    for step, value in found:
        arrays = variant.arrays("parameters.norms", step=step)
        assert value == pytest.approx(float(arrays["total/squares"]), rel=1e-6)


@pytest.mark.parametrize(("variants", "name"), [([], "wave"), ([NAME], ""), ([NAME], "it's"), (["no one's"], "wave")])
def test_where_nothing_is_asked_for_or_known_there_is_nothing(place: BoundWorkspace, variants, name):
    assert curves_of(place.value.index, variants, name) == {}
