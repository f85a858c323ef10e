"""A view that shows the variant built on untrained weights beside the one it is of."""

from __future__ import annotations

from pathlib import Path
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
from miscope.view import Untrained, View, ViewData

READS = "sae.bias"


def bias(shown: Snapshot) -> Arrays:
    """The decoder's bias."""
    return {"b_dec": shown.weights["b_dec"].numpy()}


def drawn(shown: ViewData) -> Figure:
    """It, and that of untrained weights."""
    figure = Figure(Scatter(y=shown.artifacts[READS]["b_dec"]))
    if shown.untrained is not None and shown.untrained.shown is not None:
        figure.add_scatter(y=shown.untrained.shown.artifacts[READS]["b_dec"])
    return figure


BIAS = Analyzer(
    name=READS, version=1, grain=Grain.CHECKPOINT, compute=bias, needs=Needs(weights=("b_dec",), sources=True)
)
VIEWS = {
    grain: View(name=f"sae.{grain}", title="Bias", grain=grain, draw=drawn, needs=Needs(reads=(READS,), untrained=True))
    for grain in (Grain.CHECKPOINT, Grain.TRAJECTORY)
}


def child_at(place: BoundWorkspace, step: int, **fields: float) -> BoundVariant:
    child = place.variant("toy.autoencoder", variant="toy.sum/v5-seed0-width16", step=step, **fields)
    list(child.train(threads=1, steps=20))
    return child


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    """With a toy, and an autoencoder of its last step that was analyzed."""
    place = open_bound(tmp_path / "w", tables(ToyAutoencoder(), BIAS, *VIEWS.values()))
    list(place.variant("toy.sum").train(threads=1))
    list(child_at(place, 30).analyze(READS))
    return place


def beside(place: BoundWorkspace, grain: Grain = Grain.TRAJECTORY, step: int = 30) -> Untrained | None:
    child = place.variant("toy.autoencoder", variant="toy.sum/v5-seed0-width16", step=step)
    return gather(place.value, VIEWS[grain], child.value).untrained


def test_a_figure_changes_when_the_variant_of_untrained_weights_is_trained_and_when_it_is_analyzed(
    place: BoundWorkspace,
) -> None:
    first = beside(place)
    assert first is not None
    assert first.shown is None
    assert (first.missing, first.command) == (
        "not trained",
        "miscope train toy.autoencoder variant=toy.sum/v5-seed0-width16 step=0 site=blocks.0.mlp.hook_post latents=24 "
        f"seed=0 --workspace {place.value.root}",
    )
    untrained = child_at(place, 0)
    second = beside(place)
    assert second is not None
    assert (second.shown, second.missing) == (None, "not analyzed")
    assert second.command == f"miscope analyze {untrained.name} --only {READS} --workspace {place.value.root}"
    list(untrained.analyze(READS))
    third = beside(place)
    assert third is not None
    assert third.shown is not None
    assert third.shown.artifacts[READS]["b_dec"].tolist() == untrained.arrays(READS)["b_dec"].tolist()
    figure: Any = child_at(place, 30).view("sae.trajectory").figure()
    own, other = (np.asarray(trace.y).tolist() for trace in figure.data)
    assert own != other


def test_it_is_shown_at_the_same_step(place: BoundWorkspace) -> None:
    untrained = child_at(place, 0)
    list(untrained.analyze(READS))
    child = child_at(place, 30)
    shown = gather(place.value, VIEWS[Grain.CHECKPOINT], child.value, 10)
    assert shown.untrained is not None
    assert shown.untrained.shown is not None
    assert (shown.step, shown.untrained.shown.step) == (10, 10)
    assert shown.untrained.shown.artifacts[READS]["b_dec"].tolist() == untrained.arrays(READS, 10)["b_dec"].tolist()


def test_one_that_was_trained_otherwise_is_another(place: BoundWorkspace) -> None:
    list(child_at(place, 0, learning_rate=0.01).analyze(READS))
    list(child_at(place, 0, seed=1).analyze(READS))
    found = beside(place)
    assert found is not None
    assert found.missing == "not trained"


def test_there_is_none_beside_itself_and_none_where_the_weights_are_not_kept(place: BoundWorkspace) -> None:
    list(child_at(place, 0).analyze(READS))
    assert beside(place, step=0) is None
    place.value.store.layout.checkpoint("toy.sum/v5-seed0-width16", 0).unlink()
    assert beside(place) is None


def test_one_whose_record_cannot_be_read_stops_no_figure_of_the_other(place: BoundWorkspace) -> None:
    untrained = child_at(place, 0)
    record = place.value.store.layout.record(untrained.name)
    record.write_text("nothing", encoding="utf-8")
    found = beside(place)
    assert found is not None
    assert (found.shown, found.missing, found.command) == (None, f"{record} cannot be read.", "")


def test_only_a_view_may_declare_it() -> None:
    analyzer = Analyzer(name="sae.other", version=1, grain=Grain.CHECKPOINT, compute=bias, needs=Needs(untrained=True))
    assert fault("analyzer", analyzer) == "its needs name `untrained`, and no analyzer is given that"
