"""What a view draws of each variant that is compared, and its place on the common time axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Grain
from miscope.figures.comparing.clock import Clock, on_clock
from miscope.figures.comparing.compared_figure import ComparedFigure
from miscope.view import STEP_SCALE
from miscope_panel.shown.comparing.compared import Member
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.picture import Picture, Request, drawn_picture
from miscope_panel.shown.selection import settled

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.view import View
    from miscope.workspace import Workspace

__all__ = ["DrawnMember", "drawn_member", "placed"]

_IN_COMMON = ("linear", "log")
"""How steps are laid out in figures that are compared."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnMember:
    """One variant, and what was drawn of it."""

    member: Member
    request: Request
    picture: Picture
    figure: Figure | None
    """None where there is none; the picture says why."""


def drawn_member(
    workspace: Workspace, view: View, member: Member, asked: ComparedRequest, reference: Clock
) -> DrawnMember:
    """The view of one variant; of a checkpoint, the one that stands on the time axis where that of the first does."""
    clock = member.clock(asked.align) or Clock()
    step = None
    if view.grain is Grain.CHECKPOINT and asked.step is not None:
        step = settled(member.steps, round(_moved(asked.step, reference, clock)))
    between = None
    if asked.between is not None:
        first, last = (_moved(end, reference, clock) for end in asked.between)
        between = first, last
    request = Request(view=view.name, variant=member.name, step=step, between=between, controls=asked.controls)
    made, figure = drawn_picture(workspace, replace(request, controls=_without_clock(asked.controls)))
    offered = tuple(_in_common(control) for control in made.controls)
    return DrawnMember(member=member, request=request, picture=replace(made, controls=offered), figure=figure)


def _without_clock(controls: Mapping[str, str]) -> dict[str, str]:
    """The controls, of which none counts the time of one training: the page says how all are aligned."""
    return {name: value for name, value in controls.items() if name != STEP_SCALE.name or value in _IN_COMMON}


def _in_common(control: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**control, "options": list(_IN_COMMON)} if control["name"] == STEP_SCALE.name else control


def _moved(step: float, reference: Clock, clock: Clock) -> float:
    """The step of another clock that stands where this one does on that of the first."""
    return step if reference == clock else clock.step(reference.place(step))


def placed(one: DrawnMember, drawn: Figure, clock: Clock | None, reference: Clock) -> ComparedFigure:
    """The figure on the common time axis. The cursor of the page goes over the steps of one, wherever it is drawn."""
    figure: Any = on_clock(drawn, clock or Clock())
    about = figure.layout["meta"]["miscope"]
    figure.layout["meta"] = {"miscope": {**about, "clock": {"zero": reference.zero, "unit": reference.unit}}}
    return ComparedFigure(label=one.member.chip.label, colour=one.member.chip.colour, figure=figure)
