"""Every instrument and view on families without a Fourier basis: a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import miscope_toys
import miscope_views
from miscope.errors import DoesNotApply
from miscope.rendering import render
from miscope.testing import scene, tables
from miscope_toys.induction import InductionFamily
from miscope_toys.parity import ParityFamily

VIEWS = {view.name: view for view in miscope_views.miscope_views()}
SMALL = {
    InductionFamily(): {"vocabulary": 12, "length": 16, "sequences": 64, "width": 16},
    ParityFamily(): {"bits": 6, "degree": 2, "examples": 60, "width": 16},
}
ELSEWHERE = {
    "toys.induction": ("neurons.", "keys.", "progress."),
    "toys.parity": ("attention.", "keys.", "progress."),
}
"""What each of them has none of: neurons, attention, a basis over the right answers."""


@pytest.mark.parametrize(("family", "params"), SMALL.items(), ids=lambda value: getattr(value, "name", ""))
def test_every_view_draws_every_family_or_says_why_not(family: Any, params: Mapping[str, int]) -> None:
    with scene(family, tables(toys=miscope_toys, views=miscope_views), params) as place:
        for variant in place.variants:
            outcomes = list(variant.analyze())
            assert [outcome.error for outcome in outcomes if outcome.state in ("failed", "not tried")] == []
        refused = {}
        for name, view in VIEWS.items():
            shown = place.variants if view.grain == "cohort" else place.variants[0]
            try:
                assert tuple(render(place.workspace, name, shown).data), name
            except DoesNotApply as error:
                refused[name] = error.reason
    assert all(refused.values())
    unexpected = {name: why for name, why in refused.items() if not name.startswith(ELSEWHERE[family.name])}
    # No symmetry of theirs leads from a test input to a training input: their first probe is of neither.
    assert set(unexpected) == {"behaviour.leakage"}, unexpected
