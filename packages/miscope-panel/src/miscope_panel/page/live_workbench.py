"""The workbench while its variants are trained and analyzed: what came since is shown without being asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

from miscope.failure import Failure, tried
from miscope_panel.page.board import Board
from miscope_panel.page.context_bar import ContextBar
from miscope_panel.page.cursor_course import CursorCourse
from miscope_panel.page.live_variants import LiveVariants
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.files_changed import CHECKPOINTS, METRICS, FilesChanged
from miscope_panel.shown.selection import Place

__all__ = ["LiveParts", "LiveWorkbench"]


_STATES_TAKE = 0.1
"""Of the time at most: to say what every view has to show, much of what they show is read."""


@final
@dataclass(frozen=True, kw_only=True)
class LiveParts:
    """Those of the page that are renewed."""

    cards: Board
    course: CursorCourse
    context_bar: ContextBar
    read_states: Callable[[Callable[[], None]], None]
    """Has the states of the views read and shown, and calls what it is given when that is done."""


@final
class LiveWorkbench:
    """The cursor stays where it is, and so does all that has not changed."""

    def __init__(self, context: PageContext, parts: LiveParts) -> None:
        self._store, self._errands, self._selection = (
            context.server.workspace.store,
            context.errands,
            context.selection,
        )
        self._parts = parts
        self.variants = LiveVariants(context)
        self.variants.on_files, self.variants.on_ended = self._take, self._end
        self._steps = Paced(self._read_steps)
        self._states = Paced(lambda: parts.read_states(self._states.done), share=_STATES_TAKE)

    def follow(self, place: Place) -> None:
        """Tell of what the place shows, while it is looked at."""
        shown = place.page == "views" and place.variant
        self.variants.look({place.variant, *place.compared, *self._parts.cards.variants()} if shown else None)

    def _take(self, files: FilesChanged) -> None:
        place, urgent = self._selection.place, bool(files.rested)
        parts = files.of((place.variant, *place.compared)).parts
        if CHECKPOINTS in files.of((place.variant,)).parts:
            self._steps.want(urgent=urgent)
        self._parts.cards.renew(files)
        if parts:
            self._parts.context_bar.renew(urgent=urgent, analyses=bool(parts - {METRICS}))
        if parts - {METRICS}:
            self._parts.course.renew(urgent=urgent)
            self._states.want(urgent=urgent)

    def _end(self) -> None:
        self._parts.context_bar.renew(urgent=True, analyses=True)
        self._states.want(urgent=True)

    def _read_steps(self) -> None:
        variant = self._selection.place.variant
        read = partial(tried, partial(self._store.steps, variant))
        self._errands.send(read, partial(self._show_steps, variant))

    def _show_steps(self, variant: str, steps: Sequence[int] | Failure) -> None:
        cursor, place = self._parts.course.cursor, self._selection.place
        if not isinstance(steps, Failure) and variant == place.variant == cursor.variant and cursor.steps != [*steps]:
            cursor.param.update(steps=[*steps], css_classes=[] if steps else ["away"])
            if place.views:
                self._parts.cards.lay_out(place, cursor.steps)
            self._parts.course.renew(urgent=True)
        self._steps.done()
