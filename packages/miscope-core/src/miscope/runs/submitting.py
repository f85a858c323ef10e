"""Put requests into the queue as a person means them: named, and behind what they are built on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from miscope.analyze_request import AnalyzeRequest
from miscope.checking import check_request
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_state import ENDED, RunState
from miscope.train_request import TrainRequest
from miscope.validation import about, checked_variant

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.request import Request
    from miscope.runs.run_queue import RunQueue
    from miscope.workspace import Workspace

__all__ = ["arranged", "duplicate_of", "submit", "submit_chains"]

_FEW = 3
"""Names that stand for what an analysis is of."""


def submit(workspace: Workspace, queue: RunQueue, request: Request, place: Place | None = None) -> QueuedRun:
    """Put it into the queue; behind the run, if there is one, that trains what it is built on or that it analyzes.

    Raises BadValue, with the field, for what could never be run here.
    """
    what, behind = arranged(workspace, queue, request, place or Place())
    return queue.submit(request, what=what, place=behind)


def submit_chains(
    workspace: Workspace, queue: RunQueue, chains: Sequence[Sequence[Request]], place: Place
) -> list[list[QueuedRun]]:
    """Put chains of requests into the queue, each request behind the one before it; the runs of each chain.

    What has not ended and asks for the same is not asked for a second time. Raises BadValue, and asks for nothing,
    where one of them could never be run here.
    """
    for request in chain.from_iterable(chains):
        check_request(workspace, request)
    under_way = {run.request.model_dump_json(): run for run in queue.runs(frozenset(RunState) - ENDED)}
    submitted = []
    for requests in chains:
        needs, runs = place.needs, []
        for request in requests:
            run = under_way.get(request.model_dump_json())
            runs.append(run or submit(workspace, queue, request, replace(place, needs=needs)))
            needs = (runs[-1].id,)
        submitted.append(runs)
    return submitted


def arranged(workspace: Workspace, queue: RunQueue, request: Request, place: Place) -> tuple[str, Place]:
    """What it would be called in the queue, and its place with what it has to wait for; nothing is written.

    Raises BadValue, with the field, for what could never be run here.
    """
    check_request(workspace, request)
    made_by = {run.what: run.id for run in queue.runs(frozenset(RunState) - ENDED) if run.kind == "train"}
    if isinstance(request, AnalyzeRequest):
        with about("variants"):
            for name in request.variants:
                if name not in made_by:
                    _find(workspace, name)
        needed = [made_by[name] for name in request.variants if name in made_by and not _there(workspace, name)]
        more = f" and {len(request.variants) - _FEW} more" if len(request.variants) > _FEW else ""
        what = ", ".join(request.variants[:_FEW]) + more
    else:
        family = workspace.plugins.family(request.family)
        sources = family.sources(checked_variant(family, request.params, request.training).params)
        needed = [made_by[source.variant] for source in sources if source.variant in made_by]
        what = _name(workspace, family, request, waits=bool(needed))
    return what, replace(place, needs=tuple(dict.fromkeys([*place.needs, *needed])))


def _find(workspace: Workspace, name: str) -> None:
    """UnknownName where there is no such variant, or no family of it."""
    if _there(workspace, name):
        workspace.plugins.family(name.partition("/")[0])
    else:
        workspace.find(name)


def duplicate_of(queue: RunQueue, request: TrainRequest, what: str, steps: int) -> int | None:
    """The last run that trained the variant with the same interventions to that many steps; None where none did.

    what: the variant. Another of the same would find nothing left to do.
    """
    same = [
        run.id
        for run in queue.runs({RunState.COMPLETED})
        if isinstance(run.request, TrainRequest)
        and (run.what, run.reached.total, run.request.interventions) == (what, steps, request.interventions)
    ]
    return same[-1] if same else None


def _there(workspace: Workspace, name: str) -> bool:
    return workspace.store.layout.record(name).exists()


def _name(workspace: Workspace, family: Family, request: TrainRequest, *, waits: bool) -> str:
    """The variant's; waits: on a parent that may not be here yet, of which nothing can be checked."""
    fields: tuple[Mapping[str, Any], Mapping[str, Any]] = (request.params, request.training)
    variant = checked_variant(family, *fields) if waits else workspace.value(family, *fields)
    return variant.name if request.label is None else variant.labelled(request.label).name
