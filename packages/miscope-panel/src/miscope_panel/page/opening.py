"""Where a visitor arrives who has not said where to go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from miscope.errors import MiscopeError
from miscope.figures.first_views import first_views
from miscope.tabulating.index_rows import finished_last
from miscope.workspace import Workspace
from miscope_panel.shown.lens_cards import sections_of
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selection import Place, settled

__all__ = ["arrived", "moved_on", "opened"]

_SAID = frozenset({"variant", "views", "lens", "page"})


def arrived(workspace: Workspace, given: Mapping[str, Any]) -> Place:
    """Where a visitor arrives whose address says that much: at the runs, where it says nothing and there are any.

    given: the fields of a Place.
    """
    place = Place(**given)
    return place if _SAID & given.keys() or not workspace.names() else replace(place, page="runs")


def opened(workspace: Workspace, names: Sequence[str], place: Place) -> Place:
    """The place with what was left open filled in: a variant, its last step, the first views to see.

    The variant is the one whose training was completed last, else the first that has checkpoints.
    names: the variants that can be shown. Views that are not installed are left out.
    """
    variant = place.variant or _newest(workspace, names)
    if "/" not in variant:
        variant = next((name for name in names if name.partition("/")[2] == variant), variant)
    steps = workspace.store.steps(variant) if variant in names else []
    step = settled(steps, None) if place.step is None else place.step
    views = tuple(card for card in place.views if view_of(card) in workspace.plugins.views)
    sections = sections_of(workspace, place.lens)
    if sections:
        through = place.through(place.lens, sections)
        # What an address says stands over what the lens sets.
        turned = {**through.turned, **place.turned}
        filled = views if place.bare else views or through.views
        return replace(through, variant=variant, step=step, views=filled, bare=place.bare, turned=turned)
    if not place.bare:
        views = views or first_views(workspace.plugins.views, weights=bool(steps) or variant not in names)
    return replace(place, variant=variant, views=views, step=step)


def moved_on(place: Place, gone: Collection[str]) -> Place:
    """The place without variants that are gone, for one who looks at the runs; who looks at one is told so there."""
    if place.page != "runs":
        return place
    compared = tuple(name for name in place.compared if name not in gone)
    left = replace(place, compared=compared, **({"variant": "", "step": None} if place.variant in gone else {}))
    return left if left.variants == place.variants else left.coloured_as(place)


def _newest(workspace: Workspace, names: Sequence[str]) -> str:
    try:
        last = finished_last(workspace.index) if names else None
    except MiscopeError:
        last = None
    if last in names:
        return str(last)
    return next((name for name in names if workspace.store.steps(name)), names[0] if names else "")
