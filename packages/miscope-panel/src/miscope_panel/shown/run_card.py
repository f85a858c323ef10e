"""A run as a card says it: how far it is, how long it takes, its last numbers, what went wrong, what may be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ALLOWED, Action, RunState
from miscope.train_request import TrainRequest
from miscope_panel.shown.durations import duration
from miscope_panel.shown.loss_curves import loss_names
from miscope_panel.shown.run_sections import SECTION, Section
from miscope_panel.shown.run_trouble import sentence_and_rest

__all__ = ["CardAction", "RunCard", "card_of"]

_LABELS: Mapping[Action, tuple[str, str]] = {
    Action.STOP: ("Stop", "Saves a checkpoint and ends; Resume goes on from there."),
    Action.PAUSE: ("Pause", "Saves a checkpoint and ends until it is resumed."),
    Action.RESUME: ("Resume", "Goes on from its last saved state."),
    Action.RETRY: ("Retry", "Asks for the same once more, as a new run."),
    Action.CANCEL: ("Cancel", "It will not run, or not any further."),
    Action.SAVE: ("Save checkpoint", "Keeps a checkpoint of the step that it is at."),
    Action.DELETE: ("Delete", "Takes it out of this list; the variant and what was computed of it stay."),
}
"""In the order of the buttons."""
_HELD = "It begins when it is resumed."
_MOST_METRICS = 6
_EARLY = ("test_accuracy", "train_accuracy", "l0", "test_l0", "fvu", "test_fvu")
"""Metrics that follow the losses."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CardAction:
    """Something that may be asked of the run as it stands."""

    name: str
    label: str
    title: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunCard:
    """What stands on it: text, but for the numbers that are drawn."""

    id: int
    training: bool
    title: str
    of: str
    """The variants that it is of, where the title is a name that somebody gave."""
    variant: str
    """The one that it is of, as an address has it; '' where it is of several."""
    state: str
    section: Section
    began: bool
    """Whether a process ever worked on it, so that it has a log."""
    share: float | None
    """From 0 to 1; None while nobody knows."""
    percent: int | None
    """The same in whole percent, never more than is done."""
    progress: str
    left: str
    metrics: tuple[tuple[str, str], ...]
    step: int
    losses: Mapping[str, float]
    """The last of those that are drawn."""
    facts: tuple[str, ...]
    """What else is to be known: its place in the queue, what it repeats, its study, tags."""
    error: str
    more: str
    """What is known beyond the sentence."""
    actions: tuple[CardAction, ...]


def card_of(run: QueuedRun, place: str = "") -> RunCard:
    """The card of a run. place: where in the queue it stands, in words."""
    metrics = run.reached.metrics
    training = isinstance(run.request, TrainRequest)
    error, more = sentence_and_rest(run.error)
    return RunCard(
        id=run.id,
        training=training,
        title=run.labels.name or run.what,
        of=run.what if run.labels.name else "",
        variant=_variant(run),
        state=_state(run),
        section=SECTION[run.state],
        began=run.turn > 0,
        share=run.share,
        percent=run.percent,
        progress=_progress(run),
        left=_left(run),
        metrics=tuple((name, f"{metrics[name]:.4g}") for name in _named(metrics)),
        step=run.reached.done,
        losses={name: metrics[name] for name in loss_names(metrics) if metrics[name] > 0} if training else {},
        facts=_facts(run, place),
        error=error if run.state is not RunState.COMPLETED else "",
        more=more,
        actions=tuple(_action(run, action) for action in _LABELS if _fits(run, action)),
    )


def _variant(run: QueuedRun) -> str:
    variants = (run.what,) if isinstance(run.request, TrainRequest) else run.request.variants
    return variants[0] if len(variants) == 1 else ""


def _state(run: QueuedRun) -> str:
    return "stopping: saves a checkpoint" if run.state is RunState.STOPPING else run.state.value


def _progress(run: QueuedRun) -> str:
    reached = run.reached
    if reached.total is None:
        return "" if run.state is not RunState.RUNNING else "starting"
    unit = run.unit if reached.total == 1 else f"{run.unit}s"
    return f"{reached.done:,} of {reached.total:,} {unit}"


def _left(run: QueuedRun) -> str:
    """How long it takes, or took."""
    if run.state is RunState.RUNNING:
        rate = "" if run.reached.rate is None else f"{run.reached.rate:.3g} {run.unit}s/s"
        eta = "" if run.eta is None else f"{duration(run.eta)} left"
        return " · ".join(text for text in (eta, rate) if text)
    return f"worked {duration(run.reached.seconds)}" if run.reached.seconds >= 1 else ""


def _named(metrics: Mapping[str, float]) -> Sequence[str]:
    """Metrics that are written out: losses, what is usual beside them, then the rest by name."""
    own = [name for name in metrics if "/" not in name]
    first = [*loss_names(own), *(name for name in _EARLY if name in own)]
    return list(dict.fromkeys([*first, *sorted(own), *sorted(metrics)]))[:_MOST_METRICS]


def _facts(run: QueuedRun, place: str) -> tuple[str, ...]:
    waits = ", ".join(map(str, run.place.needs)) if run.state is RunState.PENDING else ""
    told = (
        place,
        f"after run {waits}" if waits else "",
        f"retry of run {run.place.retry_of}" if run.place.retry_of else "",
        f"study {run.group}" if run.group else "",
        f"checkpoint at step {run.reached.checkpoint:,}" if run.reached.checkpoint is not None else "",
        f"on {run.host}" if run.host and not run.here else "",
        *(f"#{tag}" for tag in run.labels.tags),
        run.reached.message if run.state is RunState.RUNNING else "",
    )
    return tuple(text for text in told if text)


def _fits(run: QueuedRun, action: Action) -> bool:
    """Whether it may be asked as the run stands, and would do what its words say."""
    is_training = isinstance(run.request, TrainRequest)
    return run.state in ALLOWED[action] and (is_training or action is not Action.SAVE)


def _action(run: QueuedRun, action: Action) -> CardAction:
    label, title = _LABELS[action]
    if action is Action.PAUSE and run.state is RunState.PENDING:
        title = _HELD
    if action in (Action.STOP, Action.PAUSE) and not isinstance(run.request, TrainRequest):
        title = "Ends after the job that it is at; Resume does the rest."
    return CardAction(name=action.value, label=label, title=title)
