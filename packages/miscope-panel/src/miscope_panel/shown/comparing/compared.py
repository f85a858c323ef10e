"""What is known of the variants that are compared, before any view of them is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from miscope.errors import MiscopeError
from miscope.figures.comparing.clock import Clock, clock_of
from miscope.figures.differences import differing_values, seed_groups
from miscope.inventory import look_up
from miscope.maths.dated_events import long_name
from miscope.store.annotation import PinnedStep
from miscope.store.annotation_files import annotation_of
from miscope_panel.shown.training_stages import Stage, course_of
from miscope_panel.shown.variant_chips import Chip, chips_of

if TYPE_CHECKING:
    from miscope.snapshot import Series
    from miscope.workspace import Workspace

__all__ = ["Compared", "Member", "compared", "pins_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """One of the variants."""

    chip: Chip
    steps: tuple[int, ...]
    """Its checkpoints."""
    last: float
    """The last step of its checkpoints, or of what was recorded where there is none."""
    step_label: str
    events: Mapping[str, float]
    stages: tuple[Stage, ...] = ()
    pins: tuple[PinnedStep, ...] = ()

    @property
    def name(self) -> str:
        return self.chip.variant

    def clock(self, align: str) -> Clock | None:
        """That of the variant, aligned so; None where it cannot be."""
        return clock_of(align, events=self.events, last=self.last, step_label=self.step_label)

    def unaligned(self, align: str) -> tuple[str, str]:
        """What is said where it cannot be aligned so."""
        return (
            f"{self.chip.label} cannot be aligned by \u201c{long_name(align)}\u201d.",
            "It never happened in this run.",
        )

    def instead(self) -> tuple[tuple[str, str, str], ...]:
        """What can be done then: a label, a control of the page and its value."""
        return (
            (f"Align by {self.step_label}", "align", ""),
            (f"Hide {self.chip.label}", "hide", self.name),
        )


@final
@dataclass(frozen=True, kw_only=True)
class Compared:
    """All of them."""

    members: tuple[Member, ...] = ()
    """In order, A first; those that can be opened."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Names of others that were asked for, each with why it cannot be opened; "" where it is not here."""
    differing: Mapping[str, tuple[str, ...]]
    """By field what each has there."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of those that differ in seeds alone, by what tells them from the others; "" where all do."""

    @property
    def words(self) -> str:
        """'differ only in seed'."""
        if len(self.members) < 2:
            return ""
        fields = [*self.differing]
        if not fields:
            return "The configurations are the same."
        listed = fields[0] if len(fields) == 1 else f"{', '.join(fields[:-1])} and {fields[-1]}"
        return f"They differ only in {listed}." if len(fields) <= 3 else f"They differ in {listed}."

    @property
    def events(self) -> tuple[str, ...]:
        """Events that happened in any, in the order in which they come."""
        return tuple(dict.fromkeys(event for member in self.members for event in member.events))

    def averaged(self, hidden: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
        """The groups without what is hidden; {} where none has two of which a mean could be made."""
        shown = {label: tuple(name for name in names if name not in hidden) for label, names in self.groups.items()}
        groups = {label: names for label, names in shown.items() if names}
        return groups if any(len(names) > 1 for names in groups.values()) else {}

    def leading(self, align: str, hidden: Sequence[str]) -> Member | None:
        """The first shown that can be aligned so: the cursor goes over its steps."""
        shown = (member for member in self.members if member.name not in hidden)
        return next((member for member in shown if member.clock(align) is not None), None)

    def pinned(self, pins: Mapping[str, tuple[PinnedStep, ...]]) -> Compared:
        """The same, with these pins by the names of their variants."""
        members = (replace(member, pins=pins.get(member.name, member.pins)) for member in self.members)
        return replace(self, members=tuple(members))


def compared(workspace: Workspace, names: Sequence[str], kept: Mapping[str, str] | None = None) -> Compared:
    """Reads what is known of these variants.

    kept: colours that they have already.
    """
    stored = {name: look_up(workspace.store, workspace.plugins, name) for name in names}
    found = {name: each.variant for name, each in stored.items()}
    variants = [variant for variant in found.values() if variant is not None]
    there = set() if len(variants) == len(found) else set(workspace.names())
    chips = chips_of(workspace, [variant.name for variant in variants], kept)
    return Compared(
        members=tuple(_member(workspace, chip) for chip in chips),
        unknown={name: each.problem if name in there else "" for name, each in stored.items() if each.variant is None},
        differing=differing_values(variants),
        groups={
            label: tuple(chips[place].variant for place in places) for label, places in seed_groups(variants).items()
        },
    )


def pins_of(workspace: Workspace, variant: str) -> tuple[PinnedStep, ...]:
    """Steps that people pinned; none where they cannot be read."""
    try:
        return annotation_of(workspace.store, variant).pins
    except MiscopeError:
        return ()


def _recorded(workspace: Workspace, variant: str) -> Mapping[str, Series]:
    """Its metrics; none where they cannot be read."""
    try:
        return workspace.store.metrics(variant)
    except MiscopeError:
        return {}


def _member(workspace: Workspace, chip: Chip) -> Member:
    steps = tuple(workspace.store.steps(chip.variant))
    recorded = [] if steps else _recorded(workspace, chip.variant).values()
    last = max([*steps[-1:], *(series.steps[-1] for series in recorded if len(series.steps))], default=0)
    course = course_of(workspace, chip.variant, steps)
    return Member(
        chip=chip,
        steps=steps,
        last=float(last),
        step_label=workspace.plugins.family(chip.variant.partition("/")[0]).step_label,
        events=course.events,
        stages=course.stages,
        pins=pins_of(workspace, chip.variant),
    )
