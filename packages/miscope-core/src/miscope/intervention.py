"""Replaced activations during a window of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from miscope.model import Hook

__all__ = ["Intervention", "hooks_at"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Intervention:
    """Forward hooks that are active in the updates from steps start <= step < stop.

    They change what is learned; the metrics of every step are still those of the model as it is, without hooks.
    """

    name: str
    """Part of the variant's record: a training resumes only under the interventions it began with."""
    start: int
    """First step whose update it changes."""
    stop: int
    """First step whose update it no longer changes."""
    hooks: Callable[[int], Iterable[Hook]]
    """step -> (site, function of the activation at all positions) pairs. What they draw from torch's global generator
    depends on the step alone."""


def hooks_at(interventions: Sequence[Intervention], step: int) -> list[Hook] | None:
    """The hooks of the update from this step; None where no window is open."""
    active = [i for i in interventions if i.start <= step < i.stop]
    return [hook for i in active for hook in i.hooks(step)] if active else None
