"""The catalogue as a whole: every family is looked at, and every view has a figure of one of them."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import plotly.graph_objects as go

HERE = Path(__file__).parent
NEEDS_A_STORY = {
    *("ablations.embedding_over_training", "interventions.compare", "interventions.verification"),
    "sae.births_found",
}
"""A run that has learned, was intervened in, or is built on births that are known, which those of coverage are not;
drawn in docs/examples."""
BROUGHT = {"toys.nanda-induction"}
"""Published networks, which are not trained here."""


def test_every_family_is_looked_at_and_every_view_has_a_figure_of_one_of_them(
    shipped: Mapping[str, Any], documented_coverage: Mapping[str, Mapping[str, str]]
) -> None:
    modules = shipped.values()
    views = {view.name for module in modules if hasattr(module, "miscope_views") for view in module.miscope_views()}
    families = {f.name for module in modules if hasattr(module, "miscope_families") for f in module.miscope_families()}
    assert set(documented_coverage) == families
    assert all(set(found) == views for found in documented_coverage.values())
    undrawn = {view for view in views if not any(found[view] == "" for found in documented_coverage.values())}
    assert undrawn == NEEDS_A_STORY
    assert all((HERE.parent / "docs" / "examples" / f"{view}.png").exists() for view in NEEDS_A_STORY)
    assert len(views) >= 80
    reasons = {reason for found in documented_coverage.values() for reason in found.values() if reason}
    assert all(len(reason.split()) >= 4 for reason in reasons), "a reason is a sentence one can act on"


PATHS = {
    *("clocks.plane", "connectivity.profiles", "flatness.slice", "groups.paths"),
    *("parameters.joint_paths", "parameters.trajectory"),
}
"""Views over training whose points say which steps they are, and no axis."""


def test_of_views_over_training_without_an_axis_of_steps_or_a_path_it_is_said_why_they_are_marked_at_no_step(
    shipped: Mapping[str, Any], without_steps: Mapping[str, str]
) -> None:
    modules = (module for module in shipped.values() if hasattr(module, "miscope_views"))
    views = [view for module in modules for view in module.miscope_views()]
    bare = {view.name for view in views if view.grain != "checkpoint" and view.time_axis is None}
    assert bare - PATHS == {*without_steps} - {"learning.order"}
    assert bare >= PATHS


def test_no_family_is_left_out_by_the_files_beside_this_one(
    small_sizes: Mapping[str, object], documented_coverage: Mapping[str, object]
) -> None:
    files = [runpy.run_path(str(path)) for path in sorted(HERE.glob("test_coverage_of_*.py"))]
    looked_at = [family for file in files for family in file["FAMILIES"]]
    assert sorted(looked_at) == sorted(small_sizes) == sorted(set(documented_coverage) - BROUGHT)


def test_a_view_that_is_laid_over_though_it_is_listed_as_one_that_is_not_is_found(
    apart: Callable[..., dict[str, str]],
) -> None:
    curve, heat = go.Figure(go.Scatter(x=[0, 1], y=[1, 2])), go.Figure(go.Heatmap(z=[[1, 2]]))
    seen = SimpleNamespace(of_one=("a curve", "a map"), figures={"a curve": curve, "a map": heat})
    why = "heat maps would hide each other"

    assert apart(seen) == {"a map": why}
    assert apart(seen, {"a curve": why, "a map": why}) == {"a curve": f"is laid over, though it was said: {why}"}
