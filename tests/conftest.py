"""What tests across packages share: every plug-in that is shipped, and what the documentation says of its families."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shipped() -> Mapping[str, object]:
    """The plug-ins' modules by their names in tables."""
    import miscope_lal
    import miscope_modadd
    import miscope_sae
    import miscope_toys
    import miscope_views

    return {
        "modadd": miscope_modadd,
        "toys": miscope_toys,
        "lal": miscope_lal,
        "sae": miscope_sae,
        "views": miscope_views,
    }


@pytest.fixture(scope="session")
def documented_coverage() -> Mapping[str, Mapping[str, str]]:
    """Of each family, for every view '' or the sentence why it does not draw it: what the catalogue's page says."""
    return json.loads((ROOT / "docs" / "examples" / "coverage.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def small_sizes() -> Mapping[str, Mapping[str, Any]]:
    """The parameters of each family at which that was found out."""
    return runpy.run_path(str(ROOT / "docs" / "draw_examples.py"))["SMALL"]


@pytest.fixture(scope="session")
def covered(
    shipped: Mapping[str, object], small_sizes: Mapping[str, Mapping[str, Any]]
) -> Callable[[str], dict[str, str]]:
    """covered(family): the same, found out anew."""
    from miscope.testing import coverage, tables

    plugins = tables(**shipped)
    return lambda family: coverage(plugins.families[family], plugins, small_sizes[family])
