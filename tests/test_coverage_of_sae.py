"""Every view of the catalogue on autoencoders: a figure, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

FAMILIES = (
    *("sae.known-features", "sae.standard", "sae.jumprelu", "sae.topk", "sae.batchtopk", "sae.gated"),
    *("sae.matryoshka", "sae.skip", "sae.transcoder"),
    *("sae.known-births", "sae.crosscoder", "sae.crosscoder-batchtopk"),
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_view_draws_a_family_or_says_why_not(
    family: str, covered: Callable[[str], dict[str, str]], documented_coverage: Mapping[str, Mapping[str, str]]
) -> None:
    assert covered(family) == documented_coverage[family], "`make examples` writes it anew"
