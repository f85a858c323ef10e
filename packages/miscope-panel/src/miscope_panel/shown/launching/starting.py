"""Have what stands in the form put into the queue: the verbs that scripts call over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.checking import check_request
from miscope.errors import BadValue
from miscope.family import Family
from miscope.runs.queued_run import Place
from miscope.runs.submitting import submit_chains
from miscope.studies.planning import planned
from miscope.studies.starting import note_start
from miscope_panel.shown.launching.checked_form import checked
from miscope_panel.shown.launching.preview import requests_left, training_runs
from miscope_panel.shown.launching.study_form import study_values

if TYPE_CHECKING:
    from miscope.request import Request
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue
    from miscope.studies.study import Study
    from miscope.studies.template import Template
    from miscope.workspace import Workspace

__all__ = ["Started", "StartedRun", "free_name", "start"]

_LONGEST = 100
"""Letters of a name that is made up."""


@final
@dataclass(frozen=True, kw_only=True)
class StartedRun:
    """A run that is in the queue now."""

    id: int
    kind: str
    """'train' or 'analyze'."""
    what: str
    """The variant that is trained or analyzed."""


@final
@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of a start."""

    study: str
    """The group of the runs; "" for a training by itself."""
    runs: tuple[StartedRun, ...]
    skipped: int
    """Trainings that were finished before."""


def start(
    workspace: Workspace, queue: RunQueue, family: Family, texts: Mapping[str, str], template: Template | None = None
) -> Started:
    """Ask for what is left of the runs: trainings, each with its analysis behind it.

    One training without a name is a training by itself; several are a study, which is named where it has no name.
    Raises BadValue, and asks for nothing, where one could never be run here.
    """
    named = texts if texts.get("study.name") else {**texts, "study.name": free_name(workspace, family, texts)}
    study = _study(workspace, family, named)
    alone = len(study.runs) == 1 and named is not texts
    plan, queued = planned(workspace, study.runs), training_runs(queue)
    left = [requests_left(each, queued) for each in plan]
    chains = [[_by_itself(request) for request in requests] for requests in left] if alone else left
    submitted = _submitted(workspace, queue, chains, [queued.get(each.run.variant.name) for each in plan])
    if not alone or template is not None:
        note_start(workspace, study, plan, template)
    runs = [StartedRun(id=run.id, kind=run.kind, what=run.what) for chain in submitted for run in chain]
    return Started(
        study="" if alone else study.name,
        runs=tuple(runs),
        skipped=sum(each.train is None for each in plan),
    )


def _submitted(
    workspace: Workspace, queue: RunQueue, chains: Sequence[Sequence[Request]], behind: Sequence[int | None]
) -> list[list[QueuedRun]]:
    """behind: of each chain, the run in the queue that trains what it is of, which it has to wait for."""
    pairs = [*zip(chains, behind, strict=True)]
    waiting = [(chain, number) for chain, number in pairs if number is not None]
    for chain, _ in waiting:
        for request in chain:
            check_request(workspace, request)  # before anything is asked for
    made = submit_chains(workspace, queue, [chain for chain, number in pairs if number is None], Place())
    for chain, number in waiting:
        made += submit_chains(workspace, queue, [chain], Place(needs=(number,)))
    return made


def free_name(workspace: Workspace, family: Family, texts: Mapping[str, str]) -> str:
    """A study's name that says what is swept over, 'toy.sum-seed', and is not taken."""
    plain = "-".join([family.name, *study_values(family, texts).get("matrix", {})])[:_LONGEST]
    numbered = (plain if number == 1 else f"{plain}-{number}" for number in itertools.count(1))
    return next(name for name in numbered if not workspace.store.layout.study(name).exists())


def _study(workspace: Workspace, family: Family, texts: Mapping[str, str]) -> Study:
    found = checked(workspace, family, texts)
    if found.study is not None:
        return found.study
    known = found.problem or "\n".join(found.problems.values()) or f"Nothing is typed in {', '.join(found.lacking)}."
    raise BadValue("Nothing was started.", known, "Correct it in the form.")


def _by_itself(request: Request) -> Request:
    return request.model_copy(update={"group": None})
