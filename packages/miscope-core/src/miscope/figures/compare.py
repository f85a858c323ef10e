"""A view of several variants, each drawn on a common clock, and all put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope.errors import BadValue
from miscope.figures.availability import gather_before
from miscope.figures.comparing.clock import Clock, clock_of, on_clock
from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
from miscope.figures.comparing.how_compared import HowCompared
from miscope.figures.comparing.same_inputs import same_inputs
from miscope.figures.comparing.together import beside, differences, laid_over
from miscope.figures.controls import refuse_unknown
from miscope.figures.differences import seed_groups
from miscope.figures.figure_style import variant_colours
from miscope.figures.render import draw, gather
from miscope.maths.dated_events import long_name
from miscope.variant import Variant
from miscope.view import Member, View

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.analysis.analyzer_options import Options
    from miscope.workspace import Workspace

__all__ = ["ClockedVariant", "clocked", "compare", "moved", "step_at"]

_COURSES = View(name="courses", title="", grain=Grain.COHORT, draw=lambda shown: None)  # pyright: ignore
"""Declares nothing, so that gathering it gives the variants' steps and events alone."""


@final
@dataclass(frozen=True, kw_only=True)
class ClockedVariant:
    """One of the variants, and how its steps are counted."""

    variant: Variant
    label: str
    colour: str
    steps: tuple[int, ...]
    clock: Clock


def compare(  # noqa: PLR0913 - what is shown, keyword-only
    workspace: Workspace,
    view: View | str,
    variants: Sequence[Variant],
    how: HowCompared,
    *,
    step: int | None = None,
    options: Options | None = None,
    controls: Mapping[str, object] | None = None,
) -> list[Figure]:
    """The view of several variants: one figure of an overlay, of a grid one each, of differences one of each other.

    step: of the first, for a view of checkpoints; the others are shown where they stand there on their clocks. A
    variant that lacks an artifact is refused, not left out. Raises BadValue where the figures cannot be put together in
    that way, for a difference of one variant, for a view that compares by itself, and where a variant lacks the event;
    and what `render` does.
    """
    record = workspace.plugins.view(view) if isinstance(view, str) else view
    refuse_unknown(record, controls or {})
    if record.grain is Grain.COHORT or len(variants) < (2 if how.mode == "difference" else 1):
        raise BadValue(*_unfit(record, variants))
    members = clocked(workspace, variants, how.align)

    def drawn_of(one: ClockedVariant) -> ComparedFigure:
        at = step_at(one.steps, step, members[0].clock, one.clock) if record.grain is Grain.CHECKPOINT else None
        figure = draw(record, gather_before(workspace, record, [one.variant], at, options), controls or {})
        return ComparedFigure(label=one.label, colour=one.colour, figure=on_clock(figure, one.clock))

    drawn = [drawn_of(one) for one in members]
    return [_figure(record, each) for each in _put_together(workspace, record, variants, drawn, how)]


def _put_together(
    workspace: Workspace, view: View, variants: Sequence[Variant], drawn: Sequence[ComparedFigure], how: HowCompared
) -> Sequence[Figure | NotCompared]:
    if how.mode == "overlay":
        groups = {label: [drawn[at] for at in places] for label, places in seed_groups(variants).items()}
        averaged = how.means and any(len(each) > 1 for each in groups.values())
        return [laid_over(drawn, groups if averaged else {})]
    if how.mode == "grid":
        return beside(drawn, own_scales=how.own_scales)
    inputs = [same_inputs(workspace, view, [variants[0], other]) for other in variants[1:]]
    refused = ["" if each.same else each.words for each in inputs]
    return differences(drawn, refused, own_scales=how.own_scales)


def clocked(workspace: Workspace, variants: Sequence[Variant], align: str) -> list[ClockedVariant]:
    """Each with its clock; BadValue where one of them lacks the event."""
    found = gather(workspace, _COURSES, variants).members
    colours = variant_colours(one.name for one in variants)
    return [_clocked(workspace, one, colours[one.shown.variant.name], align) for one in found]


def moved(step: float, reference: Clock, clock: Clock) -> float:
    """The step of another clock that stands where this one does on that of the first."""
    return step if reference == clock else clock.step(reference.place(step))


def step_at(steps: Sequence[int], asked: float | None, reference: Clock, clock: Clock) -> int | None:
    """The checkpoint at or before what is asked for on the clock of the first, else the first; None where none is."""
    wanted = None if asked is None else round(moved(asked, reference, clock))
    before = [step for step in steps if wanted is None or step <= wanted]
    return before[-1] if before else next(iter(steps), None)


def _clocked(workspace: Workspace, member: Member, colour: str, align: str) -> ClockedVariant:
    shown, store = member.shown, workspace.store
    steps = tuple(int(step) for step in shown.steps)
    recorded = [] if steps else store.metrics(shown.variant.name).values()
    last = max([*steps[-1:], *(series.steps[-1] for series in recorded if len(series.steps))], default=0)
    clock = clock_of(align, events=shown.events, last=float(last), step_label=shown.step_label)
    if clock is None:
        dated = ", ".join(long_name(event) for event in shown.events) or "none that is dated"
        raise BadValue(
            f"{member.label} cannot be aligned by {align!r}.",
            f"It never happened in this run; what did: {dated}.",
            "Align by what all have: step or fraction.",
        )
    return ClockedVariant(variant=shown.variant, label=member.label, colour=colour, steps=steps, clock=clock)


def _figure(view: View, made: Figure | NotCompared) -> Figure:
    if isinstance(made, NotCompared):
        raise BadValue(
            f"{view.name!r} of these variants cannot be put together so.",
            f"{made.reason[:1].upper()}{made.reason[1:]}.",
            "Beside each other they can be looked at:  mode='grid'",
        )
    return made


def _unfit(view: View, variants: Sequence[Variant]) -> tuple[str, str, str]:
    if view.grain is Grain.COHORT:
        known = "It compares variants by itself."
        return f"{view.name!r} is not put together of figures.", known, "Draw it:  workspace.view(NAME, variants)"
    count = f"{len(variants)} variant{'s' * (len(variants) != 1)}"
    return f"{count} cannot be compared.", "A difference takes two or more.", "Name others beside it."
