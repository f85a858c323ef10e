"""The view catalogue: one figure for every universal instrument, in modules named like the analyzers'."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Lens, View

NAMESPACES = (
    *("behaviour", "smoothness", "learning", "events", "stages", "summary", "integrity", "provenance"),
    *("spectra", "products", "scores", "factors", "keys", "progress", "phases", "streams", "gradients"),
    *("neurons", "atlas", "units", "coarseness", "attention", "heads", "circuits"),
    *("parameters", "optimizer", "ranks", "groups", "dynamics", "flatness", "curvature", "connectivity"),
    *("geometry", "dimensions", "representation", "sensitivity", "ablations", "cohort"),
)
"""Modules with a tuple VIEWS; a new one is a name here."""


@hookimpl
def miscope_views() -> Iterable[View]:
    for name in NAMESPACES:
        yield from import_module(f"miscope_views.{name}").VIEWS


@hookimpl
def miscope_lenses() -> Iterable[Lens]:
    from miscope import lenses_in

    return lenses_in(Path(__file__).parent / "lenses")
