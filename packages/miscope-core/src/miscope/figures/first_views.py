"""Which views one sees who has not said which."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["CURVES", "WELCOME", "first_views"]

WELCOME = ("behaviour.losses", "spectra.embedding", "neurons.heatmap", "parameters.trajectory")
"""How well, what, where, along which way."""

CURVES = ("behaviour.losses", "behaviour.accuracies", "events.timeline")
"""The same of a curve alone: nothing that looks at weights has anything to show of it."""

_FEW = 4


def first_views(installed: Collection[str], *, weights: bool) -> tuple[str, ...]:
    """Those of them that are installed, else the first few of all; weights: whether there are checkpoints."""
    known = tuple(name for name in (WELCOME if weights else CURVES) if name in installed)
    return known or tuple(sorted(installed))[:_FEW]
