"""What the cursor bar tells of training: events, stages, and the steps that people pinned with a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, final

from miscope.errors import BadValue, MiscopeError
from miscope.failure import Failure, tried
from miscope.figures.comparing.clock import Clock, clock_of
from miscope.store.annotation import Annotation, AnnotationChange, PinnedStep
from miscope.store.annotation_files import annotation_of, change_annotation
from miscope.view import SINCE
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.cursor_axes import CursorAxes
from miscope_panel.page.errands import attempted
from miscope_panel.page.listening import Listening
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.selection import Place
from miscope_panel.shown.training_stages import Course, course_of

__all__ = ["CursorCourse"]


@final
class CursorCourse:
    """Has the cursor follow one variant, and keeps the pins with it: whoever looks at it has the same."""

    def __init__(self, context: PageContext, cursor: Cursor) -> None:
        self._server, self._errands, self._selection = context.server, context.errands, context.selection
        self._workspace = self._server.workspace
        self.cursor = cursor
        self._renewals = Paced(self._read_on)
        self._revision = -1
        """Of the pins that are shown: an answer that was overtaken by a later one is dropped."""
        cursor.can_pin = not self._server.read_only
        cursor.on_message = self._hear
        self._axes = CursorAxes(self._selection, cursor)
        self._listening = Listening(context, self.hear_of)

    def take_up(self, variant: str) -> None:
        """Follow another variant, whose steps the cursor has; '' for none."""
        self._revision = -1
        self.cursor.param.update(variant=variant, events={}, stages=[], pins=[], pin_said="")
        if variant:
            self._errands.send(self._reading(), partial(self._mark, variant))
            self._read(variant)

    def renew(self, *, urgent: bool) -> None:
        """There may be more steps, or other events. urgent: nothing may follow that says so."""
        if self.cursor.variant:
            self._renewals.want(urgent=urgent)

    def _read_on(self) -> None:
        variant = self.cursor.variant
        self._errands.send(partial(tried, self._reading()), partial(self._mark_renewed, variant))

    def _reading(self) -> Callable[[], Course]:
        return partial(course_of, self._workspace, self.cursor.variant, tuple(self.cursor.steps))

    def _mark_renewed(self, variant: str, course: Course | Failure) -> None:
        if not isinstance(course, Failure):
            self._mark(variant, course)
        self._renewals.done()

    def follow(self, place: Place) -> None:
        """What all cards over training have in common is in the address."""
        self._axes.follow(place)
        self._count()

    def _count(self) -> None:
        """Have what the bar says of steps count as the axes of the cards do."""
        align, cursor = self.cursor.clock.removeprefix(SINCE), self.cursor
        clock = clock_of(
            align, events=cursor.events, last=float(max(cursor.steps, default=0)), step_label=cursor.step_label
        )
        cursor.axis_clock = asdict(clock or Clock())

    def look(self, *, looked_at: bool) -> None:
        """Show what others pin, while somebody looks at it."""
        self._listening.look(looked_at=looked_at)

    def hear_of(self, heard: Heard) -> None:
        """Of whom somebody wrote pins, maybe."""
        variant = self.cursor.variant
        if variant and self._listening.begun and (heard.anew or variant in heard.noted):
            self._read(variant)

    def _read(self, variant: str) -> None:
        self._send(variant, partial(annotation_of, self._workspace.store, variant))

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "pin", "step": int(step), "note": str(note)}:
                try:
                    self._change(AnnotationChange(pins=(PinnedStep(step=step, note=note.strip()),)))
                except BadValue as error:
                    self.cursor.pin_said = str(error)
            case {"kind": "unpin", "step": int(step)}:
                self._change(AnnotationChange(unpin=(step,)))

    def _change(self, change: AnnotationChange) -> None:
        variant = self.cursor.variant
        if variant and self.cursor.can_pin:
            self._send(variant, partial(change_annotation, self._workspace.store, variant, change))

    def _send(self, variant: str, work: Callable[[], Annotation]) -> None:
        self._errands.send(partial(attempted, work), partial(self._show, variant))

    def _show(self, variant: str, found: Annotation | MiscopeError) -> None:
        if variant != self.cursor.variant:
            return
        if isinstance(found, MiscopeError):
            self.cursor.pin_said = str(found)
        elif found.revision > self._revision:
            self._revision = found.revision
            self.cursor.param.update(pins=[asdict(pin) for pin in found.pins], pin_said="")

    def _mark(self, variant: str, course: Course) -> None:
        if variant == self.cursor.variant:
            stages = [asdict(stage) for stage in course.stages]
            self.cursor.param.update(events=dict(course.events), stages=stages)
            self._count()
