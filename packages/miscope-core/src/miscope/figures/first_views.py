"""Which views one sees who has not said which."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["COMPARED", "CURVES", "WELCOME", "compared_views", "first_views"]

WELCOME = ("behaviour.losses", "spectra.embedding", "neurons.heatmap", "parameters.trajectory")
"""How well, what, where, along which way."""

CURVES = ("behaviour.losses", "behaviour.accuracies", "events.timeline")
"""The same of a curve alone: nothing that looks at weights has anything to show of it."""

COMPARED = ("behaviour.compare", "behaviour.losses", "spectra.embedding")
"""The same of several variants."""

_FEW = 4


def first_views(installed: Collection[str], *, weights: bool) -> tuple[str, ...]:
    """Those of them that are installed, else the first few of all; weights: whether there are checkpoints."""
    known = tuple(name for name in (WELCOME if weights else CURVES) if name in installed)
    return known or tuple(sorted(installed))[:_FEW]


def compared_views(installed: Collection[str]) -> tuple[str, ...]:
    """The same for several variants."""
    known = tuple(name for name in COMPARED if name in installed)
    return known or first_views(installed, weights=True)
