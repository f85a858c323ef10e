"""`miscope.compare`: views of several variants under one cursor, which counts steps or what is the same in all."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.figures.comparing.clock import EVERY_RUN
from miscope.figures.first_views import compared_views
from miscope.figures.picture import Drawing
from miscope.maths.learnt import DATED
from miscope.notebook.cards import Card, Views, drawing
from miscope.notebook.clock import Course
from miscope.notebook.compared import Compared, compared, differing_probes
from miscope.notebook.extra import need_widgets
from miscope.notebook.given import step_given, variants_given, views_given
from miscope.view import View

if TYPE_CHECKING:
    from miscope.bound_view import BoundView
    from miscope.notebook.scrubber import Scrubber

__all__ = ["compare"]

_ALIAS = {"grokking": "generalised"}
"""What one says, and the event of `events.grokking` that it is."""

_WAYS = (*EVERY_RUN, *DATED, *_ALIAS)


def compare(
    variants: Sequence[BoundVariant | str],
    views: Views | str | BoundView | None = None,
    *,
    align: str = "step",
    step: float | None = None,
    workspace: BoundWorkspace | None = None,
) -> Scrubber:
    """A widget of views of several variants under one step cursor; a view that compares is drawn once, others for each.

    align: what the cursor counts: 'step', the 'fraction' of training, or steps since an event of each, by its name in
    `events.grokking`; 'grokking' is 'generalised'. Each variant is shown at its nearest checkpoint. variants: handles,
    or names in the workspace, which is `miscope.open()` where none is given. views: as of `scrub`. step: where the
    cursor begins. A variant without the event says so in its cards. Raises BadValue, UnknownName, NoCheckpoint and
    NoWidgets.
    """
    need_widgets("miscope.compare", "workspace.view('behaviour.compare', variants)")
    from miscope.notebook.scrubber import Content, Scrubber

    by, asked, first = _way(align), views_given(views), step_given(step)
    handles = _handles(variants_given(variants), workspace)
    here = handles[0].workspace.value
    values = [one.value for one in handles]
    members = compared(here, values, by)
    chosen = compared_views(here.plugins.views) if asked is None else asked
    shared = {"align": by}
    aligned = [shared if _aligns(here.plugins.view(_name(view))) else {} for view in chosen]
    drawings = [drawing(here, view, values, controls) for view, controls in zip(chosen, aligned, strict=True)]
    since = by not in EVERY_RUN
    return Scrubber(
        here,
        Content(
            title=" \u00b7 ".join(member.label for member in members),
            cards=[card for one in drawings for card in _cards(one, members)],
            courses=[member.course or Course(steps=()) for member in members],
            clock=by,
            unit=members[0].unit,
            step_label=members[0].step_label,
            events={by: 0} if since else {},
            notes=differing_probes(here, values),
        ),
        0 if since and first is None else first,
    )


def _way(align: str) -> str:
    if isinstance(align, str) and align in _WAYS:
        return _ALIAS.get(align, align)
    close = difflib.get_close_matches(str(align), _WAYS, n=1, cutoff=0.5)
    raise BadValue(
        f"Variants cannot be aligned by {align!r}.",
        f"Did you mean {close[0]!r}?" if close else "It is neither a way of counting nor an event that is dated.",
        f"Align by step, by fraction, or by an event: {', '.join((*DATED, *_ALIAS))}.",
    )


def _handles(variants: Sequence[BoundVariant | str], workspace: BoundWorkspace | None) -> list[BoundVariant]:
    """Of one workspace, each once. Raises BadValue for fewer than two."""
    if not isinstance(workspace, BoundWorkspace | None):
        known = "The workspace that names are looked up in is a handle of it."
        raise BadValue(f"A {type(workspace).__name__} is no workspace.", known, "Open it:  miscope.open(PATH)")
    given = [one for one in variants if isinstance(one, BoundVariant)]
    place = workspace or (given[0].workspace if given else open_bound())
    handles = {one.name: one for one in (place.find(v) if isinstance(v, str) else v for v in variants)}
    if len(handles) < 2:
        raise BadValue(
            f"{len(handles)} variant{'s' * (len(handles) != 1)} cannot be compared.",
            "A comparison takes two or more, each once.",
            "Name others beside it; miscope.scrub shows one.",
        )
    roots = sorted({str(one.workspace.root) for one in handles.values()})
    if len(roots) > 1:
        raise BadValue(
            "Variants of different workspaces cannot be compared.",
            f"They are in {' and '.join(roots)}.",
            "Bring them into one:  workspace.bundle(variants, 'runs.zip'), then other.adopt('runs.zip')",
        )
    return list(handles.values())


def _name(view: object) -> str:
    return view if isinstance(view, str) else getattr(view, "name", str(view))


def _aligns(view: View) -> bool:
    return any(control.name == "align" for control in view.controls)


def _cards(one: Drawing, members: Sequence[Compared]) -> list[Card]:
    """A card for all where the view compares, one for each variant where it does not."""
    if one.view.grain.value == "cohort":
        return [Card(drawing=replace(one, variants=tuple(member.variant for member in members)), member=None)]
    return [
        Card(drawing=replace(one, variants=(member.variant,)), member=place, label=member.label, words=member.words)
        for place, member in enumerate(members)
    ]
