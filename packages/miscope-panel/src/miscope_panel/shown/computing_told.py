"""What a card says of computing what it lacks: what it takes, how far it is, why it failed, what may be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.run_state import ACTIVE, ENDED, RunState
from miscope_panel.shown.run_card import card_of

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope_panel.shown.lack import Lack

__all__ = ["computing_told", "run_for", "runs_of"]

_SILENT = frozenset({RunState.COMPLETED, RunState.CANCELLED})
"""Nothing is to be said of a run that ended so; where something is missing still, that came later."""
_OFFERED = ("stop", "cancel", "resume", "retry")


def runs_of(runs: Iterable[QueuedRun], analyzers: Collection[str], variants: Collection[str]) -> list[QueuedRun]:
    """Those that compute any of these analyzers of any of these variants."""
    return [run for run in runs if _computes(run, analyzers, variants)]


def _computes(run: QueuedRun, analyzers: Collection[str], variants: Collection[str]) -> bool:
    asked = run.request
    if not isinstance(asked, AnalyzeRequest) or run.deleted or not {*variants} & {*asked.variants}:
        return False
    return asked.analyzers is None or bool({*analyzers} & {*asked.analyzers})


def run_for(lack: Lack, runs: Iterable[QueuedRun]) -> QueuedRun | None:
    """The run to be shown for it: one that works, else one that waits, else how the last of all ended."""
    wanted = lack.request
    found = [
        run
        for run in runs_of(runs, wanted.analyzers or (), wanted.variants)
        if isinstance(run.request, AnalyzeRequest) and run.request.options == wanted.options
    ]
    under_way = [run for run in found if run.state in ACTIVE] or [run for run in found if run.state not in ENDED]
    if under_way:
        return min(under_way, key=lambda run: run.id)
    last = max(found, key=lambda run: run.id, default=None)
    return None if last is None or last.state in _SILENT else last


def computing_told(lack: Lack | None, run: QueuedRun | None, *, locked: str) -> dict[str, Any]:
    """As the browser is given it; {} where nothing is missing. locked: why nothing may be asked, '' where it may."""
    if lack is None:
        return {}
    many = len(lack.of_family.variants) if lack.of_family else 0
    return {
        "words": lack.words,
        "label": lack.label,
        "family": f"For all {many} variants of the family" if many else "",
        "locked": locked,
        "run": None if run is None else _run_told(lack, run),
    }


def _run_told(lack: Lack, run: QueuedRun) -> Mapping[str, Any]:
    card = card_of(run)
    # Of a run that was asked for more, or for other variants, only what this card lacks is asked for once more.
    again = run.state not in ENDED or run.request == lack.request
    offered = [action for action in card.actions if action.name in _OFFERED and again]
    if run.state is RunState.FAILED:
        offered = [action for action in offered if action.name == "retry"]
    elif run.state in ENDED:
        offered = [action for action in offered if action.name == "resume"]
    return {
        "id": run.id,
        "section": card.section,
        "state": f"Run {run.id}: {'waits for its turn' if run.state is RunState.PENDING else card.state}",
        "share": card.share,
        "percent": card.percent,
        "progress": " · ".join(text for text in (card.progress, card.left) if text),
        "error": " ".join(text for text in (card.error, card.more.partition("\n")[0]) if text),
        "actions": [{"name": action.name, "label": action.label, "title": action.title} for action in offered],
    }
