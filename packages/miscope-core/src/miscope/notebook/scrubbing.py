"""`miscope.scrub`: several views of a variant under one step cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.errors import BadValue
from miscope.figures.first_views import first_views
from miscope.figures.render import gather
from miscope.notebook.cards import Card, Views, drawing
from miscope.notebook.clock import Course
from miscope.notebook.extra import need_widgets
from miscope.notebook.given import handle_given, step_given, views_given
from miscope.view import View

if TYPE_CHECKING:
    from miscope.bound import BoundVariant
    from miscope.bound_view import BoundView
    from miscope.notebook.scrubber import Scrubber

__all__ = ["scrub"]

_CLOCK = View(name="cursor", title="", grain=Grain.TRAJECTORY, draw=lambda shown: None)  # pyright: ignore
"""Declares nothing, so that gathering it gives a variant's steps and events alone."""


def scrub(variant: BoundVariant, views: Views | str | BoundView | None = None, *, step: int | None = None) -> Scrubber:
    """A widget of views of a variant under one step cursor: slider, keys, play, and a click in a view over training.

    views: by name, or as `variant.view("neurons.heatmap", neuron=7)`, several or one; None for the first ones of the
    page. step: where the cursor begins; None at the last checkpoint. The widget's `.step` moves it. Raises UnknownName,
    BadValue for a view that compares variants and for what is no variant or view, and NoWidgets where
    `miscope-core[notebook]` is not installed.
    """
    need_widgets("miscope.scrub", 'variant.view(...).film("film.html")')
    from miscope.notebook.scrubber import Content, Scrubber

    variant, asked, first = handle_given(variant), views_given(views), step_given(step)
    workspace, value = variant.workspace.value, variant.value
    steps = tuple(variant.steps)
    alone = [name for name, view in workspace.plugins.views.items() if view.grain is not Grain.COHORT]
    chosen = asked if asked is not None else first_views(alone, weights=bool(steps))
    drawings = [drawing(workspace, view, [value]) for view in chosen]
    for one in drawings:
        if one.view.grain is Grain.COHORT:
            raise BadValue(
                f"{one.view.name!r} cannot be scrubbed over one variant.",
                "It compares several.",
                f"Give it several:  miscope.compare([variant, other], [{one.view.name!r}])",
            )
    shown = gather(workspace, _CLOCK, value)
    return Scrubber(
        workspace,
        Content(
            title=value.name,
            cards=[Card(drawing=replace(one, variants=(value,)), member=0) for one in drawings],
            courses=[Course(steps=steps)],
            unit=shown.step_label,
            step_label=shown.step_label,
            events=shown.events,
        ),
        first,
    )
