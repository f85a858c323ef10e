"""Studies over HTTP: the runs of one are asked for at once, and looked at together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Response

from miscope.errors import UnknownName
from miscope.jsonable import jsonable
from miscope.runs.queued_run import Place
from miscope.runs.submitting import submit_chains
from miscope.studies.document import read_file
from miscope.studies.starting import note_start
from miscope.variant import NAME_PATTERN
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.estimating import TOO_MANY
from miscope_panel.rest.run_answers import RunSeen, answered
from miscope_panel.rest.study_answers import Studies, StudyPlan, StudyRunStarted, StudySeen, StudyStarted, StudySummary
from miscope_panel.rest.study_asked import StudyAsked, found_of

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.studies.planning import PlannedRun
    from miscope.studies.study_estimate import StudyEstimate
    from miscope.studies.templates import Templates
    from miscope_panel.rest.queue_access import QueueAccess

__all__ = ["studies_router"]

_MOST_STEPS, _MOST_RUNS = 10**6, 100
"""Of a training that is estimated, whose checkpoints are counted one by one; of a study of which that is done."""

StudyName = Annotated[str, Path(description="The study's name, which is the group of its runs.", examples=["decay"])]


def studies_router(access: QueueAccess, templates: Templates) -> APIRouter:
    """The routes over studies."""
    routes = APIRouter(prefix=f"{PREFIX}/studies", tags=["studies"], responses={**PROBLEMS})

    @routes.get("", response_model=Studies)
    def studies() -> Response:
        """Every study that was run here or is in the queue, with how many of its runs are in each state."""
        kept, groups = _kept(access), _groups(access)
        names = sorted({*kept, *groups})
        seen = [StudySummary.of(name, groups.get(name, ()), kept=name in kept) for name in names]
        return answered(Studies(studies=seen))

    @routes.post(
        "",
        status_code=201,
        response_model=StudyStarted,
        responses={200: {"model": StudyPlan, "description": "What it would be, where dry_run is true."}, **TOO_MANY},
    )
    def create(asked: StudyAsked) -> Response:
        """Ask for what is left of a study: trainings, each with its analysis behind it, as `miscope sweep --queue`."""
        found = found_of(asked, access.workspace, templates)
        if asked.dry_run:
            return answered(StudyPlan.of(found, _estimated(access, found.plan)))
        chains = [each.requests for each in found.plan]
        submitted = submit_chains(access.workspace, access.queue, chains, Place(priority=asked.priority))
        note_start(access.workspace, found.study, found.plan, found.template)
        if any(submitted):
            access.summon()
        runs = [StudyRunStarted.of(each, chain) for each, chain in zip(found.plan, submitted, strict=True)]
        return answered(StudyStarted(name=found.study.name, family=found.study.family, runs=runs), 201)

    @routes.get("/{name}", response_model=StudySeen)
    def study(name: StudyName) -> Response:
        """A study with every setting of its runs, and where these stand."""
        return answered(_seen(access, name))

    return routes


def _seen(access: QueueAccess, name: str) -> StudySeen:
    kept, runs = _kept(access), _groups(access).get(name, [])
    if name not in kept and not runs:
        listing = f"{PREFIX}/studies lists the {len(kept)} that were run here."
        raise UnknownName("study", name, kept, listing=listing)
    keys = jsonable(read_file(access.workspace.store.layout.study(name)).values) if name in kept else None
    return StudySeen.model_validate({"name": name, "study": keys, "runs": [RunSeen.of(run) for run in runs]})


def _kept(access: QueueAccess) -> list[str]:
    """Names of the studies that are in the workspace."""
    folder = access.workspace.root / "studies"
    found = (path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else ()
    return sorted(name for name in found if NAME_PATTERN.fullmatch(name))


def _groups(access: QueueAccess) -> dict[str, list[QueuedRun]]:
    """The runs in the queue by their study."""
    groups: dict[str, list[QueuedRun]] = {}
    for run in access.queue.runs():
        if run.group is not None:
            groups.setdefault(run.group, []).append(run)
    return groups


def _estimated(access: QueueAccess, plan: tuple[PlannedRun, ...]) -> StudyEstimate:
    """Of the runs that are short enough, if they are not too many."""
    from miscope.studies.study_estimate import StudyEstimate, study_estimate  # it loads torch

    short = [each for each in plan if each.total <= _MOST_STEPS]
    if len(short) > _MOST_RUNS:
        return StudyEstimate()
    with access.estimating.turn() as bounds:
        return study_estimate(access.workspace, short, bounds)
