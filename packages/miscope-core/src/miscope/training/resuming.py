"""Where a training goes on: the last state it left, or what is still whole where that is damaged or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, final

from miscope.errors import BadFile, BadValue, MiscopeError, NoCheckpoint
from miscope.store.no_checkpoint import no_checkpoint
from miscope.store.origin import Origin, origin_of
from miscope.store.training_state import TrainingState
from miscope.training.warm_start import MADE_ELSEWHERE

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store.store import Store

__all__ = ["Start", "start_of"]

T = TypeVar("T")

_EXACT = "with the optimizer's state kept there: the numbers are those of an undisturbed training"
_FRESH = "with a fresh optimizer: the numbers are not those of an undisturbed training"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where a training begins."""

    state: TrainingState | None = None
    """None: at the initialisation."""
    weights: Mapping[str, Tensor] | None = None
    """By role, of the state's step."""
    damaged: frozenset[int] = frozenset()
    """Later steps whose checkpoints cannot be read: they are written anew."""
    line: str = ""
    """What is wrong with the last state, and where the training goes on instead; "" where nothing is."""

    @property
    def step(self) -> int:
        return self.state.step if self.state else 0


def start_of(store: Store, variant: str, interventions: Sequence[str]) -> Start:
    """The last state with its weights; where it is not whole, the newest checkpoint that is.

    A checkpoint with the optimizer's state kept beside it comes before a newer one without. Raises BadValue if the
    variant was trained under other interventions, and BadFile or NoCheckpoint where nothing is whole.
    """
    state, problem = _attempt(lambda: store.load_training_state(variant))
    steps = store.steps(variant)
    if state is None and problem is None and not steps:
        return Start()
    _refuse_other_interventions(store, variant, interventions)
    if state is not None:
        weights, problem = _attempt(lambda: state.weights or store.load_checkpoint(variant, state.step).weights)
        if weights is not None:
            return Start(state=state, weights=weights)
    return _fallen_back(store, variant, steps, problem)


def _fallen_back(store: Store, variant: str, steps: Sequence[int], problem: MiscopeError | None) -> Start:
    newest_first = steps[::-1]
    kept = [step for step in newest_first if store.layout.training_state(variant, step).exists()]
    exact = _newest(store, variant, kept, lambda step: store.load_training_state(variant, step=step))
    start = exact or _newest(store, variant, newest_first, lambda step: _bare_state(store, variant, step))
    if start is None:
        raise problem or no_checkpoint(store.layout, variant, None, store.steps(variant))
    why = " ".join(str(problem).split("\n")[:2]) if problem else f"{variant} has no training state."
    damaged = [step for step in steps if step > start.step and _whole(store, variant, step) is None]
    assert start.state is not None
    if start.step == 0 and MADE_ELSEWHERE not in start.state.facts:
        # Nothing is lost by it: a training begins with these very weights, and an optimizer that remembers nothing.
        line = f"{why} No later step is whole: beginning again at step 0." if len(steps) > 1 or problem else ""
        return Start(damaged=frozenset(damaged), line=line)
    line = f"{why} Going on from step {start.step}, the newest that is whole, {_EXACT if exact else _FRESH}."
    return replace(start, damaged=frozenset(damaged), line=line)


def _newest(
    store: Store, variant: str, steps: Iterable[int], state_at: Callable[[int], TrainingState | None]
) -> Start | None:
    """The first of these steps with a state and a checkpoint that are whole."""
    for step in steps:
        state, _ = _attempt(lambda step=step: state_at(step))
        weights = _whole(store, variant, step) if state is not None and state.step == step else None
        if weights is not None:
            return Start(state=state, weights=weights)
    return None


def _whole(store: Store, variant: str, step: int) -> Mapping[str, Tensor] | None:
    return _attempt(lambda: store.load_checkpoint(variant, step).weights)[0]


def _bare_state(store: Store, variant: str, step: int) -> TrainingState:
    """A state without an optimizer's memory."""
    facts = _facts(store, variant)
    warm = facts.get("warm")
    begun = isinstance(warm, Mapping) and warm.get("step") == step
    lent = begun or origin_of(facts) in (Origin.IMPORTED, Origin.METRICS)
    return TrainingState(step=step, facts={MADE_ELSEWHERE: True} if lent else {})


def _attempt(load: Callable[[], T]) -> tuple[T | None, MiscopeError | None]:
    """What is loaded, or why it could not be."""
    try:
        return load(), None
    except (BadFile, NoCheckpoint) as error:
        return None, error


def _facts(store: Store, variant: str) -> Mapping[str, object]:
    """Of the variant's record, if it has one: without, its checkpoints are still gone on from."""
    return store.variant_record(variant).facts if store.layout.record(variant).exists() else {}


def _refuse_other_interventions(store: Store, variant: str, interventions: Sequence[str]) -> None:
    if not store.layout.record(variant).exists():
        return
    before, now = _facts(store, variant).get("interventions", []), list(interventions)
    if before != now:
        raise BadValue(
            f"{variant} was trained under other interventions.",
            f"Before: {before or 'none'}; now: {now or 'none'}.",
            "Give the same ones, or begin again with resume=False.",
        )
