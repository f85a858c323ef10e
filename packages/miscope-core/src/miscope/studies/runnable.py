"""Whether a study could be run on this machine, found out before any of it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from miscope.checking import check_request
from miscope.errors import BadValue
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document
from miscope.studies.planning import PlannedRun

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["check_runnable"]


def check_runnable(workspace: Workspace, document: Document, plan: Sequence[PlannedRun]) -> None:
    """Raise BadStudy, with the place, where something that is left of the plan is none for this machine.

    document: what the study was read from.
    """
    for planned in plan:
        for request in planned.requests:
            try:
                check_request(workspace, request)
            except BadValue as error:
                part = "train" if request.kind == "train" else "analyze"
                raise BadStudy(str(document.place(part, error.field or "")), *str(error).split("\n")) from None
