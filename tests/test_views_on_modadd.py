"""Every view of the catalogue on every family of modular addition: universal means nothing is special-cased."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest

import miscope_modadd
import miscope_views
from miscope.errors import DoesNotApply
from miscope.rendering import render
from miscope.testing import scene, tables

VIEWS = {view.name: view for view in miscope_views.miscope_views()}
ATTENTION = {"attention.patterns", "attention.statistics"}
WITHOUT_ATTENTION = {"modadd.mlp", "modadd.embedding-mlp"}


@pytest.mark.parametrize("family", miscope_modadd.miscope_families(), ids=lambda family: family.name)
def test_every_view_draws_every_family_or_says_why_not(family: SimpleNamespace):
    params: Mapping[str, int] = {"prime": 7}
    with scene(family, tables(modadd=miscope_modadd, views=miscope_views), params) as place:  # pyright: ignore
        for variant in place.variants:
            failed = [outcome.error for outcome in variant.analyze() if outcome.error and outcome.state == "failed"]
            assert failed == []
        refused = set()
        for name, view in VIEWS.items():
            shown = place.variants if view.grain == "cohort" else place.variants[0]
            try:
                assert tuple(render(place.workspace, name, shown).data), name
            except DoesNotApply:
                refused.add(name)
    assert refused == (ATTENTION if family.name in WITHOUT_ATTENTION else set())
