"""The queue as the page shows it: sections of cards, each as long as somebody wants, and what may be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, final, get_args

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ALLOWED, Action, RunState
from miscope_panel.shown.run_card import card_of
from miscope_panel.shown.run_sections import Section, in_sections, without_retry

__all__ = ["FIRST", "QueueShown", "card_dict", "queue_shown"]

FIRST = 25
"""Cards of a section before somebody asks for more."""

_OVER = frozenset({RunState.COMPLETED, RunState.CANCELLED})
"""Of these nothing is left to be done; one that was stopped can go on, one that failed be asked for again."""

_TITLES: Mapping[Section, str] = {
    "running": "Running",
    "queued": "Queued",
    "failed": "Failed",
    "stopped": "Stopped",
    "done": "Done",
}


@final
@dataclass(frozen=True, kw_only=True)
class QueueShown:
    """As the browser is given it."""

    sections: list[dict[str, Any]] = field(default_factory=list)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    bulk: dict[str, list[int]] = field(default_factory=dict)
    """Runs of which the same may be asked, by what that is."""


def queue_shown(runs: Iterable[QueuedRun], most: Mapping[str, int], only: str = "") -> QueueShown:
    """These runs. most: cards by section, where not FIRST. only: the one section that is looked at; '' for all."""
    known = [run for run in runs if not run.deleted]
    found = in_sections(known)
    wanted = (only,) if only in get_args(Section) else get_args(Section)
    sections, cards = [], {}
    for name, title in _TITLES.items():
        some = found[name][: most.get(name, FIRST)] if name in wanted else []
        ids = [str(run.id) for run in some]
        sections.append({"name": name, "title": title, "ids": ids, "count": len(found[name]), "open": name in wanted})
        for at, run in enumerate(some):
            cards[str(run.id)] = card_dict(run, f"{at + 1}. in the queue" if name == "queued" else "")
    bulk = {
        "retry": without_retry(known),
        "clear": [run.id for run in [*found["done"], *found["stopped"]] if run.state in _OVER],
        "pause": [run.id for run in found["queued"]],
        "resume": [run.id for run in found["stopped"] if run.state in ALLOWED[Action.RESUME]],
    }
    return QueueShown(sections=sections, cards=cards, bulk=bulk)


def card_dict(run: QueuedRun, place: str = "") -> dict[str, Any]:
    """The run's card as JSON has it."""
    return asdict(card_of(run, place))
