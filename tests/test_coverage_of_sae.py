"""Every view of the catalogue on autoencoders: a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

FAMILIES = (
    *("sae.known-features", "sae.standard", "sae.jumprelu", "sae.topk", "sae.batchtopk", "sae.gated"),
    *("sae.matryoshka", "sae.skip", "sae.transcoder"),
    *("sae.known-births", "sae.crosscoder", "sae.crosscoder-batchtopk"),
)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_view_draws_a_family_or_says_why_not(
    family: str, seen: Any, documented_coverage: Mapping[str, Mapping[str, str]]
) -> None:
    assert seen.reasons == documented_coverage[family], "`make examples` writes it anew"


def test_every_view_over_training_shows_where_a_step_is_and_what_it_is_worth_there(
    seen: Any, unmarked: Callable[[Any], dict[str, str]]
) -> None:
    assert unmarked(seen) == {}


def test_every_view_over_training_is_laid_over_itself_or_says_why_not(
    seen: Any, apart: Callable[[Any], dict[str, str]]
) -> None:
    assert apart(seen) == {}


def test_in_every_figure_of_the_size_of_a_card_all_has_room(
    seen: Any, cramped: Callable[[Any], dict[str, list[str]]]
) -> None:
    assert cramped(seen) == {}
