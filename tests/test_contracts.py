"""Every installed family, analyzer and view keeps the contract that the test kit checks for third parties."""

from __future__ import annotations

from typing import Any

import pytest

from miscope.plugins.plugins import Plugins
from miscope.testing import check_analyzer, check_family, check_view

INSTALLED = Plugins.installed()
PRIME = {"prime": 7}
REPEATS = {"vocabulary": 12, "length": 16, "sequences": 64, "width": 16}
ROUTED = {"prime": 7, "n_layers": 2, "hidden_dim": 8}
OF_HEADS = ("attention.", "heads.", "circuits.", "scores.", "ablations.interactions")
ELSEWHERE = {
    *("dynamics.modes", "dynamics.residual", "ablations.embedding_over_training"),
    *("interventions.leakage", "interventions.verification", "interventions.compare"),
}
"""What needs more checkpoints than the check keeps, a run that has learned, or one that was intervened in."""

AT_HOME = {"miscope-core", "miscope-views", "miscope-sae"}
"""Packages whose own tests check each of their records that needs no other stage, on the toys or built on them."""


def test_nothing_installed_is_broken() -> None:
    assert [str(broken) for broken in INSTALLED.broken] == []


OF_THEMSELVES = [
    name
    for name, family in sorted(INSTALLED.families.items())
    if not family.described and not any(field.is_required() for field in family.params.model_fields.values())
]
"""What a described family is, is said beside each variant: tests of recording check that. What another is built on has
to be named, and to be there: tests of its package check that."""


@pytest.mark.parametrize("name", OF_THEMSELVES)
def test_family(name: str) -> None:
    family = INSTALLED.family(name)
    check_family(family, PRIME if "prime" in family.params.model_fields else None)


def stage(name: str) -> dict[str, Any]:
    """The family on which an instrument is checked: the toys, unless it needs heads, repeats, routing or addition."""
    if name.startswith(("heads.roles", "circuits.composition")):
        return {"family": INSTALLED.family("toys.induction"), "plugins": INSTALLED, "params": REPEATS}
    packages = {p.package for key, p in INSTALLED.provided_by.items() if key[1] == name}
    if "miscope-lal" in packages:
        return {"family": INSTALLED.family("lal.routed"), "plugins": INSTALLED, "params": ROUTED}
    if name.startswith(OF_HEADS) or "miscope-modadd" in packages:
        return {"family": INSTALLED.family("modadd.transformer"), "plugins": INSTALLED, "params": PRIME}
    return {}


def stage_of_view(name: str) -> dict[str, Any]:
    """That of the first analyzer it reads which needs one."""
    needs = INSTALLED.view(name).needs
    return next(filter(None, map(stage, (name, *needs.reads, *needs.history))), {})


def at_home(kind: str, name: str) -> bool:
    return INSTALLED.provided_by[kind, name].package in AT_HOME


@pytest.mark.parametrize(
    "name",
    [name for name in sorted(set(INSTALLED.analyzers) - ELSEWHERE) if stage(name) or not at_home("analyzer", name)],
)
def test_analyzer(name: str) -> None:
    assert check_analyzer(INSTALLED.analyzer(name), **stage(name)) == ()


@pytest.mark.parametrize(
    "name",
    [name for name in sorted(set(INSTALLED.views) - ELSEWHERE) if stage_of_view(name) or not at_home("view", name)],
)
def test_view(name: str) -> None:
    check_view(INSTALLED.view(name), **stage_of_view(name))
