from __future__ import annotations

import types
from urllib.parse import parse_qs

import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, hookimpl
from miscope.bound import open_bound
from miscope.testing import tables
from miscope_panel.shown.picture import Request, figure, picture

NAME = "toy.sum/v5-seed0-width16"
SHARP = "spectra.embedding.top=1"


def share(shown):
    """Names of the artifact's arrays."""
    return go.Figure(go.Bar(y=[len(shown.artifacts["spectra.embedding"])]))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A workspace in which one artifact was computed with an option too, and another only so."""
    offered = types.ModuleType("offered")
    reads = {"grain": Grain.CHECKPOINT, "draw": share}
    names = ("spectra.embedding", "ranks.weights")
    views = [
        View(name=f"test.{name.partition('.')[0]}", title=name, needs=Needs(reads=(name,)), **reads) for name in names
    ]
    offered.miscope_views = hookimpl(lambda: views)
    workspace = open_bound(tmp_path_factory.mktemp("options") / "workspace", tables(offered=offered))
    variant = workspace.variant("toy.sum", steps=10, checkpoints="0,10")
    list(variant.train(threads=1))
    variant.analyze("spectra.embedding")
    variant.analyze("spectra.embedding", options={"spectra.embedding": {"top": 1}})
    variant.analyze("ranks.weights", options={"ranks.weights": {"draws": 2}})
    return workspace.value


def choice(made):
    return next((control for control in made.controls if control["name"] == "options"), None)


def test_a_card_offers_what_was_computed_with_other_options(both):
    made = picture(both, Request(view="test.spectra", variant=NAME))
    assert choice(made) == {
        "name": "options",
        "label": "computed with",
        "value": "defaults",
        "kind": "choice",
        "options": ["defaults", SHARP],
    }
    assert parse_qs(made.taken["query"]).keys() == {"view", "variant", "step"}


def test_the_chosen_options_are_shown_and_taken_elsewhere(both):
    made = picture(both, Request(view="test.spectra", variant=NAME, controls={"options": SHARP}))
    assert (made.state, choice(made)["value"]) == ("figure", SHARP)
    assert SHARP in made.figure
    assert parse_qs(made.taken["query"])["spectra.embedding.top"] == ["1"]
    assert f"-o {SHARP} --out" in made.taken["shell"]
    assert ".view('test.spectra', options={'spectra.embedding': {'top': 1}}).figure()" in made.taken["python"]


def test_what_exists_with_other_options_only_is_offered_where_it_is_missing(both):
    made = picture(both, Request(view="test.ranks", variant=NAME))
    assert made.state == "missing"
    assert made.words[1] == "It exists with other options: -o ranks.weights.draws=2."
    assert choice(made)["options"] == ["defaults", "ranks.weights.draws=2"]


def test_scripts_name_an_option_in_the_address(both):
    drawn = figure(both, Request(view="test.spectra", variant=NAME, controls={"spectra.embedding.top": "1"}))
    assert drawn.layout.meta["miscope"]["options"] == [SHARP]


def test_an_option_nobody_has_is_told_on_the_card(both):
    made = picture(both, Request(view="test.spectra", variant=NAME, controls={"options": "spectra.embedding.tpo=1"}))
    assert made.state == "error"
    assert made.words[:2] == ("'spectra.embedding' has no option 'tpo'.", "Did you mean 'top'?")
