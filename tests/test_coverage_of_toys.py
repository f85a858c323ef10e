"""Every view of the catalogue on the toys that are shipped: a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from miscope.testing import coverage_of

FAMILIES = ("toys.induction", "toys.parity", "toys.permutation")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_view_draws_a_family_or_says_why_not(
    family: str, covered: Callable[[str], dict[str, str]], documented_coverage: Mapping[str, Mapping[str, str]]
) -> None:
    assert covered(family) == documented_coverage[family], "`make examples` writes it anew"


def test_every_view_draws_the_published_induction_heads_or_says_why_not(
    workspace: Any, calibration_file: Any, shipped: Mapping[str, object], documented_coverage: Mapping[str, Any]
) -> None:
    place = workspace(**shipped)
    adopted = place.adopt(calibration_file("induction_head_infinite.pth"))
    found = coverage_of(place.value, [variant.value for variant in adopted])
    assert found == documented_coverage["toys.nanda-induction"], "`make examples` writes it anew"
