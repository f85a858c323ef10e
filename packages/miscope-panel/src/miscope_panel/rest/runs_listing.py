"""Which runs a listing shows: by state, by study, by words, a page at a time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.runs.run_state import RunState
from miscope_panel.rest.queue_access import LARGEST, Kind, QueueAccess
from miscope_panel.rest.run_answers import Page

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun

__all__ = ["Wanted", "page_of"]


@final
class Wanted(BaseModel):
    """What is asked of a listing."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[list[RunState], Field(description="Only those in this state; repeatable.")] = []
    group: Annotated[str | None, Field(description="Only the runs of this study.")] = None
    q: Annotated[str, Field(description="Only those with this in a name of theirs, in notes or tags.")] = ""
    deleted: Annotated[bool, Field(description="Those that were deleted.")] = False
    page: Annotated[int, Field(ge=1, le=LARGEST // 100, description="Counted from 1.")] = 1
    limit: Annotated[int, Field(ge=1, le=100, description="Runs on a page.")] = 20


def page_of(access: QueueAccess, kind: Kind | None, wanted: Wanted) -> Page:
    """That page of the runs of that kind; None for all. How many are in each state is of all that are not deleted."""
    there = [run for run in access.queue.runs() if kind in (None, run.kind)]
    among = [run for run in access.queue.runs(deleted=True) if kind in (None, run.kind)] if wanted.deleted else there
    found = [run for run in among if _is_wanted(run, wanted)]
    counts = Counter(run.state for run in there)
    return Page.of(found, {each: counts[each] for each in RunState}, page=wanted.page, limit=wanted.limit)


def _is_wanted(run: QueuedRun, wanted: Wanted) -> bool:
    return (
        run.has_words(wanted.q)
        and wanted.group in (None, run.group)
        and (not wanted.state or run.state in wanted.state)
    )
