"""A view that shows the training of what a variant is built on beside what it is of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
from plotly.graph_objects import Figure, Scatter

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.figures.render import gather
from miscope.needs import Needs
from miscope.plugins.record_checks import fault
from miscope.snapshot import Snapshot
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder
from miscope.view import View, ViewData

READS, PARENT = "sae.bias", "toy.sum/v5-seed0-width16"


def bias(shown: Snapshot) -> Arrays:
    """The decoder's bias."""
    return {"b_dec": shown.weights["b_dec"].numpy()}


def drawn(shown: ViewData) -> Figure:
    """The losses of the first member's source."""
    one = shown.members[0].shown if shown.members else shown
    known = one.source.metrics if one.source is not None else {}
    return Figure([Scatter(x=[0], y=[0]), *(Scatter(x=each.steps, y=each.values) for each in known.values())])


BIAS = Analyzer(
    name=READS, version=1, grain=Grain.CHECKPOINT, compute=bias, needs=Needs(weights=("b_dec",), sources=True)
)
VIEWS = {
    grain: View(
        name=f"sae.{grain}",
        title="Bias",
        grain=grain,
        draw=drawn,
        needs=Needs(reads=(READS,), source_metrics=("*_loss",)),
    )
    for grain in Grain
}
CURVES = View(name="toy.curves", title="Losses", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(metrics=("*_loss",)))


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    """With a toy that was trained."""
    place = open_bound(tmp_path / "w", tables(ToyAutoencoder(), BIAS, CURVES, *VIEWS.values()))
    list(place.variant("toy.sum").train(threads=1))
    return place


def child_at(place: BoundWorkspace, step: int, **fields: Any) -> BoundVariant:
    """An autoencoder of the toy, trained and analyzed."""
    child = place.variant("toy.autoencoder", variant=PARENT, step=step, **fields)
    list(child.train(threads=1, steps=20))
    list(child.analyze(READS))
    return child


@pytest.mark.parametrize("grain", [Grain.CHECKPOINT, Grain.TRAJECTORY])
def test_a_view_is_shown_the_declared_metrics_of_what_its_variant_is_built_on(
    place: BoundWorkspace, grain: Grain
) -> None:
    child, parent = child_at(place, 20), place.find(PARENT)
    source = gather(place.value, VIEWS[grain], child.value).source
    assert source is not None
    assert (source.variant.name, source.step) == (PARENT, None)
    assert source.steps.tolist() == list(parent.steps)
    recorded = {name: each for name, each in parent.metrics().items() if name.endswith("_loss")}
    assert source.metrics.keys() == recorded.keys() != set()
    for name, series in recorded.items():
        assert np.array_equal(source.metrics[name].values, series.values)


def test_so_is_each_of_several(place: BoundWorkspace) -> None:
    children = [child_at(place, 20, seed=seed) for seed in (0, 1)]
    shown = gather(place.value, VIEWS[Grain.COHORT], [child.value for child in children])
    assert shown.source is None
    assert [one.shown.source.variant.name for one in shown.members if one.shown.source] == [PARENT, PARENT]
    figure: Any = place.view("sae.cohort", children).figure()
    assert len(figure.data) > 1


def test_events_of_its_training_are_there_once_they_were_looked_for(place: BoundWorkspace) -> None:
    child, parent = child_at(place, 20), place.find(PARENT)
    view = VIEWS[Grain.CHECKPOINT]
    before = gather(place.value, view, child.value).source
    assert before is not None
    assert before.definitions == {}
    list(parent.analyze("events.grokking"))
    after = gather(place.value, view, child.value).source
    assert after is not None
    own = gather(place.value, CURVES, parent.value)
    assert after.definitions == own.definitions != {}
    assert after.events == own.events


def test_there_is_none_of_what_is_built_on_nothing_on_what_is_gone_and_on_what_has_no_such_metrics(
    place: BoundWorkspace,
) -> None:
    child, view, layout = child_at(place, 20), VIEWS[Grain.CHECKPOINT], place.value.store.layout
    alone = replace(CURVES, needs=Needs(metrics=("*_loss",), source_metrics=("*_loss",)))
    assert gather(place.value, alone, place.find(PARENT).value).source is None
    layout.checkpoint(PARENT, 20).rename(place.value.root / "elsewhere")
    assert gather(place.value, view, child.value).source is None
    (place.value.root / "elsewhere").rename(layout.checkpoint(PARENT, 20))
    assert gather(place.value, view, child.value).source is not None
    rmtree(layout.metrics(PARENT))
    assert gather(place.value, view, child.value).source is None


def test_only_a_view_may_declare_it() -> None:
    needs = Needs(source_metrics=("*_loss",))
    analyzer = Analyzer(name="sae.other", version=1, grain=Grain.CHECKPOINT, compute=bias, needs=needs)
    assert fault("analyzer", analyzer) == "its needs name `source_metrics`, and no analyzer is given that"
