"""How a card stands on the board: kept in the address as its controls are, and no controls of its view."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LOOKS", "looks_among", "without_looks"]

LOOKS = ("full-width", "zoomed-to")
"""'1' for a row of its own; the ranges of its axes, 'xaxis=0,500;yaxis=0,1'. No control has a hyphen in its name."""


def looks_among(turned: Mapping[str, str]) -> dict[str, str]:
    """Those of what is turned of a card that are its looks."""
    return {name: text for name, text in turned.items() if name in LOOKS}


def without_looks(turned: Mapping[str, str]) -> dict[str, str]:
    """The controls among what is turned of a card."""
    return {name: text for name, text in turned.items() if name not in LOOKS}
