"""Every installed family, analyzer and view keeps the contract that the test kit checks for third parties."""

from __future__ import annotations

import pytest

from miscope.plugins import Plugins
from miscope.testing import check_analyzer, check_family, check_view

INSTALLED = Plugins.installed()
PRIME = {"prime": 7}


def test_nothing_installed_is_broken() -> None:
    assert [str(broken) for broken in INSTALLED.broken] == []


@pytest.mark.parametrize("name", sorted(INSTALLED.families))
def test_family(name: str) -> None:
    family = INSTALLED.family(name)
    check_family(family, PRIME if "prime" in family.params.model_fields else None)


@pytest.mark.parametrize("name", sorted(INSTALLED.analyzers))
def test_analyzer(name: str) -> None:
    analyzer = INSTALLED.analyzer(name)
    if {"blocks.*.attn.hook_pattern"} & set(analyzer.sites) or set(analyzer.reads) & {"attention.patterns"}:
        check_analyzer(analyzer, INSTALLED.family("modadd.transformer"), plugins=INSTALLED, params=PRIME)
    else:
        check_analyzer(analyzer)


@pytest.mark.parametrize("name", sorted(INSTALLED.views))
def test_view(name: str) -> None:
    view = INSTALLED.view(name)
    if {"attention.patterns"} & {*view.reads, *view.history}:
        check_view(view, INSTALLED.family("modadd.transformer"), plugins=INSTALLED, params=PRIME)
    else:
        check_view(view)
