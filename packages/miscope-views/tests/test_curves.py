"""Views of events and of cohorts are drawn of variants that are curves without weights."""

from __future__ import annotations

import numpy as np
import pytest

import miscope_views
from miscope.analysis.analyze import analyze
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.figures.render import render
from miscope.testing import tables


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory):
    """Five runs that memorise and generalise, imported and analyzed; only read."""
    folder = tmp_path_factory.mktemp("curves")
    rows = [
        f"{seed},{step},{np.exp(-step / 4)},{3 / (1 + np.exp((step - 30 - seed) / 1.5)) + 1e-4}"
        for seed in range(5)
        for step in range(60)
    ]
    (folder / "a.csv").write_text("\n".join(["seed,step,train_loss,test_loss", *rows]))
    place = open_bound(folder / "workspace", tables(views=miscope_views))
    found = [variant.value for variant in place.adopt(metrics=folder / "a.csv", family="toy.sum")]
    for _ in analyze(place.value, found, ["events.grokking", "summary.windows", "cohort.events", "cohort.losses"]):
        pass
    return place, found


@pytest.mark.parametrize(
    "name", ["events.timeline", "events.definitions", "behaviour.losses", "summary.windows", "summary.classification"]
)
def test_a_view_of_a_training_is_drawn_of_a_curve(curves, name: str):
    place, found = curves
    assert len(render(place.value, name, found[0]).data)


@pytest.mark.parametrize("name", ["cohort.losses", "cohort.events", "cohort.table", "behaviour.compare"])
def test_a_view_of_several_is_drawn_of_curves(curves, name: str):
    place, found = curves
    assert len(render(place.value, name, found).data)


@pytest.mark.parametrize("name", ["behaviour.reliability", "behaviour.margins"])
def test_a_view_of_weights_says_that_there_are_metrics_only(curves, name: str):
    place, found = curves
    with pytest.raises(DoesNotApply, match="of this variant there are metrics only"):
        render(place.value, name, found[0])
