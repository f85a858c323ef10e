"""Which comparison is asked for: read from a place, and kept there as the controls of the page are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast, final

from miscope.analyzer import Grain
from miscope.figures.first_views import compared_views
from miscope.view import View
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selection import Place

__all__ = ["MODES", "MOST", "NAME", "Comparison", "Mode", "names_compared", "read_comparison", "with_names"]

NAME = "compare"
"""Of the page, and of what an address keeps for it: 'compare:mode=grid'."""

Mode = Literal["overlay", "grid", "ab", "difference"]

MODES: dict[Mode, str] = {
    "overlay": "Overlay",
    "grid": "Small multiples",
    "ab": "A | B",
    "difference": "Difference",
}
"""Ways to look at several variants, by what an address calls them."""

MOST = 8
"""Variants that are shown: as many as there are colours to tell apart."""


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How variants are looked at."""

    mode: Mode = "overlay"
    align: str = "step"
    """'step', 'fraction' of training, or an event."""
    mean: bool = False
    """Whether runs that differ in seeds alone are one curve with its interval."""
    own_scales: bool = False
    """Whether each picture has axes of its own."""
    views: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Variants that are left out for now."""


def read_comparison(place: Place, installed: Mapping[str, View]) -> Comparison:
    """The comparison that the place asks for; what it says of nothing is left at the first of each.

    installed: views by name. Where the place names none for this page, those of its cards that show one variant, else
    the first that several are looked at by.
    """
    asked = place.controls_of(NAME)
    mode = asked.get("mode", "")
    views = tuple(name for name in asked.get("views", "").split(",") if name in installed)
    if "views" not in asked:
        views = _alone((view_of(entry) for entry in place.views), installed)
        views = views or _alone(compared_views(installed), installed)
    return Comparison(
        mode=cast("Mode", mode) if mode in MODES else "overlay",
        align=asked.get("align") or "step",
        mean=asked.get("mean") == "1",
        own_scales=asked.get("scales") == "own",
        views=tuple(dict.fromkeys(views)),
        hidden=tuple(name for name in asked.get("hide", "").split(",") if name),
    )


def _alone(names: Iterable[str], installed: Mapping[str, View]) -> tuple[str, ...]:
    """Those of one variant: what compares by itself is laid over already."""
    return tuple(name for name in names if name in installed and installed[name].grain is not Grain.COHORT)


def names_compared(place: Place) -> tuple[str, ...]:
    """The variants of the place, each once, A first."""
    return place.variants


def with_names(place: Place, names: tuple[str, ...]) -> Place:
    """The place with these variants, A first; each that was there keeps its colour."""
    return replace(place, variant=names[0] if names else "", compared=names[1:]).coloured_as(place)
