"""Where a visitor arrives who has not said where to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from miscope.figures.first_views import first_views
from miscope.workspace import Workspace
from miscope_panel.shown.lens_cards import sections_of
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selection import Place, settled

__all__ = ["opened"]


def opened(workspace: Workspace, names: Sequence[str], place: Place) -> Place:
    """The place with what was left open filled in: a variant with checkpoints, its last step, the first views to see.

    names: the variants that can be shown. Views that are not installed are left out.
    """
    variant = place.variant or next((name for name in names if workspace.store.steps(name)), names[0] if names else "")
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
        return replace(through, variant=variant, step=step, views=views or through.views, turned=turned)
    views = views or first_views(workspace.plugins.views, weights=bool(steps) or variant not in names)
    return replace(place, variant=variant, views=views, step=step)
