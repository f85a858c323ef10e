"""For authors of plug-ins: a toy family, conformance checks, and isolated plug-in tables."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miscope.testing.analyzer_checks import check_analyzer as check_analyzer
    from miscope.testing.family_checks import check_family as check_family
    from miscope.testing.rounding import roundings as roundings
    from miscope.testing.snapshots import toy_snapshot as toy_snapshot
    from miscope.testing.staging import Scene as Scene
    from miscope.testing.staging import scene as scene
    from miscope.testing.staging import tables as tables
    from miscope.testing.toy import ToyFamily as ToyFamily
    from miscope.testing.toy import ToyFourierFamily as ToyFourierFamily
    from miscope.testing.toy import ToyParams as ToyParams
    from miscope.testing.view_checks import check_view as check_view
    from miscope.testing.view_coverage import coverage as coverage
    from miscope.testing.view_coverage import coverage_of as coverage_of

# Loaded when first used: pytest imports this package at its start, and must not bring in torch.
_HOME = {
    "analyzer_checks": ("check_analyzer",),
    "view_coverage": ("coverage", "coverage_of"),
    "family_checks": ("check_family",),
    "snapshots": ("toy_snapshot",),
    "rounding": ("roundings",),
    "staging": ("Scene", "scene", "tables"),
    "toy": ("ToyFamily", "ToyFourierFamily", "ToyParams"),
    "view_checks": ("check_view",),
}
_WHERE = {name: f"miscope.testing.{module}" for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'miscope.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
