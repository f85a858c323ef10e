"""Variants on a common clock: where each has its checkpoints there, or why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.figures.comparing.clock import clock_of
from miscope.figures.render import EVENTS, gather
from miscope.maths.dated_events import long_name
from miscope.notebook.clock import Course
from miscope.variant import Variant
from miscope.view import Member, View

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Compared", "compared", "differing_probes"]

_CLOCKS = View(name="cursors", title="", grain=Grain.COHORT, draw=lambda shown: None)  # pyright: ignore
"""Declares nothing, so that gathering it gives the variants' steps and events alone, dated by one definition."""


@final
@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the variants."""

    variant: Variant
    label: str
    """What tells it from the others."""
    unit: str
    """What the clock counts: 'epochs since generalised'."""
    step_label: str
    course: Course | None
    """None of one that is not on the clock."""
    words: tuple[str, ...] = ()
    """Why it is not: three sentences."""


def compared(workspace: Workspace, variants: Sequence[Variant], by: str) -> list[Compared]:
    """The variants on the clock that counts steps, the fraction of training, or steps since an event.

    Raises NoCheckpoint where there is nothing of a variant, BadValue where none of them has the event.
    """
    members = gather(workspace, _CLOCKS, variants).members
    laid = [_compared(workspace, member, by) for member in members]
    if all(one.course is None for one in laid):
        raise BadValue(
            f"None of the {len(laid)} variants can be aligned by {by!r}.",
            " ".join(dict.fromkeys(" ".join(one.words[:2]) for one in laid)),
            laid[0].words[2],
        )
    return laid


def _compared(workspace: Workspace, member: Member, by: str) -> Compared:
    shown = member.shown
    steps = tuple(int(step) for step in shown.steps)
    label = shown.step_label
    rounded = {event: float(round(step)) for event, step in shown.events.items()}
    clock = clock_of(by, events=rounded, last=float(max(steps, default=0)), step_label=label)
    return Compared(
        variant=shown.variant,
        label=member.label,
        unit=label if by == "step" else clock.title if clock else f"{label}s since {long_name(by)}",
        step_label=label,
        course=None if clock is None else Course(steps=steps, clock=clock),
        words=_without(workspace, member, by) if clock is None else (),
    )


def _without(workspace: Workspace, member: Member, by: str) -> tuple[str, str, str]:
    """What is said in place of the figures of a variant without the event."""
    name, dated = member.shown.variant.name, member.shown.events
    if not member.shown.definitions:
        command = in_workspace(workspace.root, f"miscope analyze {name} --only {EVENTS}")
        return f"{name} has no dated events.", f"{EVENTS} was not computed of it.", f"To compute it:  {command}"
    others = ", ".join(f"{long_name(event)} at {step:,.0f}" for event, step in dated.items())
    known = f"What did: {others}." if others else "Nor did any other event."
    return (
        f"'{long_name(by)}' did not happen in {name}.",
        known,
        "Align by what all have: step, fraction, or another event.",
    )


def differing_probes(workspace: Workspace, variants: Sequence[Variant]) -> list[str]:
    """A sentence where variants are shown different inputs: their figures at one place are then not of the same."""
    import torch

    probes = [workspace.context(one).probe().inputs for one in variants if workspace.store.steps(one.name)]
    if all(torch.equal(probes[0], other) for other in probes[1:]):
        return []
    return ["Their probes differ: what is shown side by side is not of the same inputs."]
