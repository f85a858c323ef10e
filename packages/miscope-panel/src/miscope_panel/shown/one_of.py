"""All there is to see of one neuron, or of one head: a lens of every view that has a control for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.figures.lenses import known_lenses
from miscope.lens import Lens, LensSection, LensView
from miscope.view import View
from miscope_panel.shown.selectable import selectable

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["lens_of", "lenses_of_one", "lenses_on_page"]

_PLACES = frozenset(("site", "layer"))
"""Selected, but no single thing: nearly every view is of a site."""

_FEWEST = 2
"""Views that make a lens."""

_SECTIONS = {Grain.CHECKPOINT: "At the step shown", Grain.TRAJECTORY: "Over training", Grain.COHORT: "Across variants"}


def lens_of(what: str) -> str:
    """The name of the lens of one of these: 'one-neuron'."""
    return f"one-{what.replace('_', '-')}"


def lenses_of_one(views: Mapping[str, View]) -> dict[str, Lens]:
    """By name, one for all that can be selected and that several views show one of."""
    found = {lens_of(what): _lens(what, views) for what in sorted(selectable(views.values()) - _PLACES)}
    return {name: lens for name, lens in found.items() if lens is not None}


def lenses_on_page(workspace: Workspace) -> dict[str, Lens]:
    """Those of packages and the workspace, and behind them those of one neuron, one head."""
    known = known_lenses(workspace).lenses
    return {**known, **{n: lens for n, lens in lenses_of_one(workspace.plugins.views).items() if n not in known}}


def _lens(what: str, views: Mapping[str, View]) -> Lens | None:
    own = {name: view for name, view in sorted(views.items()) if what in view.selected_by.values()}
    among = [name for name, view in sorted(views.items()) if what in view.selects and name not in own]
    if len(own) < _FEWEST:
        return None
    grouped = [(title, [n for n, view in own.items() if view.grain is grain]) for grain, title in _SECTIONS.items()]
    grouped.append((f"Among all {what}s", among))
    return Lens(
        name=lens_of(what),
        title=f"One {what}",
        question=f"What is there to see of one {what}?",
        sections=tuple(
            LensSection(title=title, views=tuple(LensView(view=name) for name in names))
            for title, names in grouped
            if names
        ),
    )
