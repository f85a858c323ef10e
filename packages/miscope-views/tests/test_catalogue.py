"""Every view of the catalogue, on a variant that was really trained and analyzed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

import miscope_views
from miscope import Grain, View
from miscope.bound import BoundVariant, open_bound
from miscope.errors import DoesNotApply, NoArtifact
from miscope.figures.render import render
from miscope.testing import check_view, tables

CATALOGUE = {view.name: view for view in miscope_views.miscope_views()}
NEEDS_ATTENTION = {name for name in CATALOGUE if name.startswith(("attention.", "heads.", "circuits.", "scores."))}
NEEDS_ATTENTION |= {"ablations.interactions"}
NEEDS_MORE = {"dynamics.modes", "dynamics.residual", "ablations.embedding_over_training"}
"""More checkpoints than the toys keep, or a run that has learned; drawn in their own tests."""


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - NEEDS_ATTENTION - NEEDS_MORE))
def test_every_view_draws_a_trained_toy_with_every_control_turned(name: str):
    check_view(CATALOGUE[name])


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> BoundVariant:
    """A toy, trained and analyzed by every instrument that applies; only read."""
    variant = open_bound(tmp_path_factory.mktemp("toy"), tables(views=miscope_views)).variant("toy.fourier")
    for _ in variant.train(threads=1):
        pass
    for _ in variant.analyze():
        pass
    return variant


@pytest.mark.parametrize("name", sorted(NEEDS_ATTENTION))
def test_a_view_of_attention_does_not_apply_to_a_model_without(name: str, looked_at: BoundVariant):
    with pytest.raises(DoesNotApply, match=r"has no site|has no weights|no head to choose"):
        render(looked_at.workspace.value, name, looked_at.value)


def test_a_view_over_training_says_which_axis_counts_steps():
    without = {"parameters.trajectory", "parameters.variance", "parameters.joint_paths", "groups.paths"}
    without |= {"connectivity.profiles", "connectivity.seeds", "flatness.slice"}
    without |= {"cohort.clusters", "cohort.spectra", "cohort.table", "cohort.weights"}
    without |= {"gradients.initialisation", "cohort.quality"}
    without |= {"dynamics.modes", "provenance.settings", "summary.classification"}
    without |= {"learning.cartography", "cohort.learning"}
    upright = {"learning.by_class", "learning.order"}
    over_training = {view.name for view in CATALOGUE.values() if view.grain is not Grain.CHECKPOINT}

    assert {view.name for view in CATALOGUE.values() if view.time_axis == "x"} == over_training - without - upright
    assert {view.name for view in CATALOGUE.values() if view.time_axis == "y"} == upright


@pytest.mark.parametrize("view", CATALOGUE.values(), ids=CATALOGUE)
def test_a_view_names_no_family_layer_or_prime(view: View):
    said = " ".join((view.name, view.title, view.summary, *view.needs.sites, *view.needs.weights, *view.needs.metrics))

    assert not any(word in said for word in ("modadd", "blocks.0", "113"))


def test_what_was_not_computed_is_named_with_its_command(workspace: Callable[..., object]):
    place = workspace(views=miscope_views)
    variant = place.variant("toy.fourier")  # pyright: ignore[reportAttributeAccessIssue]
    for _ in variant.train(threads=1):
        pass

    with pytest.raises(NoArtifact, match=rf"miscope analyze {variant.name} --only spectra\.embedding"):
        render(place.value, "spectra.embedding_lines", variant.value)  # pyright: ignore[reportAttributeAccessIssue]


def test_the_catalogue_is_listed_without_plotly_or_torch():
    code = (
        "import sys, miscope_views; list(miscope_views.miscope_views()); print({'plotly', 'torch'} & set(sys.modules))"
    )
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert listed.stdout.strip() == "set()"
