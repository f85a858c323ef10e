"""The stages of a variant's training, between the events that were detected, as bands along its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from miscope.analysis.artifacts import arrays
from miscope.errors import MiscopeError
from miscope.figures.figure_style import OKABE_ITO
from miscope.workspace import Workspace
from miscope_panel.shown.variant_events import events_of

__all__ = ["Course", "Stage", "course_of", "stages_between"]

_CUTS = "stages.change_points"
_COLOURS = {
    "memorisation": OKABE_ITO[4],
    "plateau": OKABE_ITO[5],
    "memorised": OKABE_ITO[5],
    "generalisation": OKABE_ITO[2],
    "generalised": OKABE_ITO[3],
}
"""Of the stages that have a name; neighbours are told apart by who sees fewer colours too."""


@final
@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of training."""

    name: str
    first: float
    last: float
    """Steps between which it lies."""
    colour: str


@final
@dataclass(frozen=True, kw_only=True)
class Course:
    """What is marked along the steps of a variant."""

    events: Mapping[str, float]
    """Step of each event that was detected."""
    stages: tuple[Stage, ...] = ()
    """One after the other from the first step to the last; none where nothing tells them."""


def course_of(workspace: Workspace, variant: str, steps: Sequence[int]) -> Course:
    """Events and stages of a variant with checkpoints at these steps, by what was computed of it.

    The stages lie between events; where none of those was detected, between the boundaries on which methods agree.
    """
    events = events_of(workspace, variant)
    if not steps:
        return Course(events=events)
    span = float(steps[0]), float(steps[-1])
    return Course(events=events, stages=stages_between(events, span) or _parted(_cuts(workspace, variant), span))


def stages_between(events: Mapping[str, float], span: tuple[float, float]) -> tuple[Stage, ...]:
    """Stages by what had happened: memorised, begun to generalise ('onset'), generalised; none where nothing had.

    Between memorising and the onset the test loss is on a plateau, if there is an onset. Stretches of no steps are
    left out.
    """
    between = "plateau" if "onset" in events else "memorised"
    dated = [(between, "memorised"), ("generalisation", "onset"), ("generalised", "generalised")]
    begun = [("memorisation", span[0])]
    for name, event in dated:
        if event not in events:
            continue
        # A later one that was there before takes the place of those between.
        begun = [each for each in begun if each[1] < events[event]] + [(name, events[event])]
    if len(begun) == 1 and begun[0][0] == "memorisation":
        return ()
    ends = [*(step for _, step in begun[1:]), span[1]]
    return tuple(
        Stage(name=name, first=first, last=last, colour=_COLOURS[name])
        for (name, first), last in zip(begun, ends, strict=True)
        if last > first
    )


def _parted(cuts: Sequence[int], span: tuple[float, float]) -> tuple[Stage, ...]:
    """'stage 1', 'stage 2' between cuts; none where there is no cut."""
    inside = [float(cut) for cut in cuts if span[0] < cut < span[1]]
    colours = list(dict.fromkeys(_COLOURS.values()))
    return tuple(
        Stage(name=f"stage {number + 1}", first=first, last=last, colour=colours[number % len(colours)])
        for number, (first, last) in enumerate(pairwise([span[0], *inside, span[1]]))
        if inside
    )


def _cuts(workspace: Workspace, variant: str) -> list[int]:
    try:
        found = arrays(workspace, workspace.find(variant), _CUTS, names=["consensus"])
    except MiscopeError:
        return []
    return [int(step) for step in found["consensus"]]
