"""Every view of the catalogue on every shipped family: a figure, or the sentence why there is none."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import miscope_lal
import miscope_modadd
import miscope_toys
import miscope_views
from miscope.testing import coverage, coverage_of, tables

ROOT = Path(__file__).parents[1]
RECORDED = json.loads((ROOT / "docs" / "examples" / "coverage.json").read_text(encoding="utf-8"))
PLUGINS = {"modadd": miscope_modadd, "toys": miscope_toys, "lal": miscope_lal, "views": miscope_views}
SMALL: dict[str, dict[str, Any]] = runpy.run_path(str(ROOT / "docs" / "draw_examples.py"))["SMALL"]
NEEDS_A_STORY = {"ablations.embedding_over_training", "interventions.compare", "interventions.verification"}
"""A run that has learned, or was intervened in, which the few steps here are not; drawn in docs/examples."""
FAMILIES = {
    family.name: family
    for plugin in (miscope_modadd, miscope_toys, miscope_lal)
    for family in plugin.miscope_families()
}


@pytest.mark.parametrize("name", SMALL)
def test_every_view_draws_a_family_or_says_why_not(name: str) -> None:
    assert coverage(FAMILIES[name], tables(**PLUGINS), SMALL[name]) == RECORDED[name], "`make docs` writes it anew"


def test_every_view_draws_the_published_induction_heads_or_says_why_not(workspace: Any, calibration_file: Any) -> None:

    place = workspace(**PLUGINS)
    adopted = place.adopt(calibration_file("induction_head_infinite.pth"))
    found = coverage_of(place.value, [variant.value for variant in adopted])
    assert found == RECORDED["toys.nanda-induction"], "`make docs` writes it anew"


def test_every_family_is_there_and_every_view_has_a_figure_for_one_of_them() -> None:
    views = {
        view.name for module in PLUGINS.values() if hasattr(module, "miscope_views") for view in module.miscope_views()
    }
    assert set(RECORDED) == set(FAMILIES)
    assert all(set(found) == views for found in RECORDED.values())
    undrawn = {view for view in views if not any(found[view] == "" for found in RECORDED.values())}
    assert undrawn == NEEDS_A_STORY
    assert all((ROOT / "docs" / "examples" / f"{view}.png").exists() for view in NEEDS_A_STORY)
    assert len(views) >= 80
    reasons = {reason for found in RECORDED.values() for reason in found.values() if reason}
    assert all(len(reason.split()) >= 4 for reason in reasons), "a reason is a sentence one can act on"
