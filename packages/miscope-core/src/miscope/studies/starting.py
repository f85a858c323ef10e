"""What is written down when runs of a study begin: the study itself, and that a template was used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from miscope.studies.keeping import keep_study
from miscope.studies.planning import PlannedRun, Presence
from miscope.studies.templates import Templates

if TYPE_CHECKING:
    from miscope.studies.study import Study
    from miscope.studies.template import Template
    from miscope.workspace import Workspace

__all__ = ["note_start"]


def note_start(workspace: Workspace, study: Study, plan: Sequence[PlannedRun], template: Template | None) -> None:
    """Keep the study in the workspace, and count a use of its template where a run of the plan is left to do."""
    keep_study(workspace, study)
    started = [each.run.name for each in plan if each.presence is not Presence.FINISHED]
    if template is not None and started:
        Templates(workspace).note_use(template, study, started)
