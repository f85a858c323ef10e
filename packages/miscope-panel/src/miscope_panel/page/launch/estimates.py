"""What the runs of the form will take: found out in a process of its own, one at a time, and only of the last form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import final

from miscope.failure import Failure, tried
from miscope.studies.planning import PlannedRun
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.launching.preview import estimate_told

__all__ = ["Estimates"]

_MOST_RUNS, _MOST_STEPS = 50, 10**6
_SECONDS = 20.0


@final
class Estimates:
    """Of one page: the last plan that it was given."""

    def __init__(self, context: PageContext, tell: Callable[[list[str]], None]) -> None:
        self._context, self._tell = context, tell
        self._wanted: Sequence[PlannedRun] | None = None
        self._under_way = False

    def drop(self) -> None:
        """The form is another one: nobody wants to know any more."""
        self._wanted = None
        self._tell([])

    def make(self, plan: Sequence[PlannedRun]) -> None:
        """Tell what is left of the plan will take, once that is known."""
        self._wanted = plan
        left = [each for each in plan if each.train is not None]
        if not left:
            self._tell([])
        elif len(left) > _MOST_RUNS or any(each.total > _MOST_STEPS for each in left):
            self._tell(
                [f"More than {_MOST_RUNS} runs, or {_MOST_STEPS:,} steps: what they take is not estimated here."]
            )
        elif not self._under_way:
            self._under_way = True
            self._tell(["Finding out what it takes …"])
            work = partial(tried, partial(self._made, plan))
            self._context.errands.send(work, partial(self._show, plan), self._context.server.estimates)

    def _made(self, plan: Sequence[PlannedRun]) -> list[str]:
        """On a thread; the process that finds it out is ended where nobody wants to know by then."""
        if not self._wants(plan):
            return []  # its turn came late
        from miscope.studies.study_estimate import study_estimate  # they load torch
        from miscope.training.bounded_estimate import Bounds

        bounds = Bounds(seconds=_SECONDS, should_stop=lambda: not self._wants(plan))
        return estimate_told(study_estimate(self._context.server.workspace, plan, bounds))

    def _wants(self, plan: Sequence[PlannedRun]) -> bool:
        """Whether the form is still that one, and its page is open."""
        return self._wanted is plan and self._context.errands.stands

    def _show(self, plan: Sequence[PlannedRun], told: list[str] | Failure) -> None:
        self._under_way = False
        if self._wanted is plan:
            self._tell([told.error] if isinstance(told, Failure) else told)
        elif self._wanted is not None:
            self.make(self._wanted)
