"""What an instrument is shown: one checkpoint, one variant's whole training, or several variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, final

import numpy as np

from miscope.analyzer import Options
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import NotDeclared
from miscope.field_docs import documented
from miscope.optimizer_group import OptimizerGroup
from miscope.patterns import matches
from miscope.probe import Probe
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.loss_function import LossFunction
    from miscope.model import Model
    from miscope.source_checkpoint import SourceCheckpoint

__all__ = ["Cohort", "Declared", "Series", "Snapshot", "Trajectory"]

V = TypeVar("V")
Chosen = TypeVar("Chosen", bound=Options, covariant=True)


@final
class Declared(Mapping[str, V], Generic[V]):
    """Exactly what was declared, under the names it has here; anything else is refused with the cure.

    What was declared and is not there is a plain KeyError, so that `in` and `get` work as in any mapping.
    """

    def __init__(self, values: Mapping[str, V], *, reader: str, field: str, what: str, patterns: Sequence[str]) -> None:
        self._values, self._reader, self._field, self._what = values, reader, field, what
        self._patterns = tuple(patterns)

    def __getitem__(self, name: str) -> V:
        try:
            return self._values[name]
        except KeyError:
            if any(matches(name, pattern) for pattern in self._patterns):
                raise
            raise NotDeclared(self._reader, self._what, name, self._patterns, field=self._field) from None

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot(Generic[Chosen]):
    """One checkpoint. Tensors are detached and on the CPU unless a device was asked for."""

    variant: Variant
    """Whose checkpoint it is."""
    step: int
    """Optimizer updates so far; 0 is the initialisation."""
    options: Chosen
    """The analyzer's own options, of the type it declared."""
    probe: Probe
    """The inputs shown; an empty one to an analyzer that declares nothing of it."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the declared roles."""
    activations: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the declared sites, (N, ...) at the answer position, or (N, position, ...) if it declared all positions;
    float32, but 'logits' float64."""
    artifacts: Mapping[str, Arrays] = field(default_factory=dict)
    """Of the declared reads, at this step."""
    bases: Mapping[str, Basis] = field(default_factory=dict)
    """Of the declared axes and columns, those that the family gives."""
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each axis of a declared weight counts: {'W_E': ('token', 'd_model')}."""
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the loss on the whole training set, by declared role, float64; for an analyzer that declares gradients."""
    losses: Mapping[str, LossFunction] = field(default_factory=dict)
    """The loss as a function of all weights, of the 'train' and the 'test' examples, or of 'all' where nobody knows
    which were trained on; for an analyzer that declares objective."""
    optimizer_state: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """The optimizer's own state by declared role ({'W_E': {'exp_avg': ...}}); for one that declares optimizer."""
    optimizer_groups: tuple[OptimizerGroup, ...] = ()
    """How the optimizer treated the declared roles in the last update; for one that declares optimizer. () where nobody
    knows."""
    model: Model | None = None
    """The network, to be run on any weights; for an analyzer that declares model."""
    sources: tuple[SourceCheckpoint, ...] = ()
    """What the variant is built on, in the order of its family's `sources`; for an analyzer that declares sources."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """A metric over training: steps (n,) int64 and values (n,) float64."""

    steps: np.ndarray
    """(n,) int64, ascending."""
    values: np.ndarray
    """(n,) float64."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory(Generic[Chosen]):
    """One variant's whole training."""

    variant: Variant
    """Whose training it is."""
    steps: np.ndarray
    """(T,) int64, ascending: the checkpoints looked at."""
    options: Chosen
    """The analyzer's own options, of the type it declared."""
    probe: Probe
    """The inputs shown; an empty one to an analyzer that declares nothing of it."""
    artifacts: Mapping[str, Arrays] = field(default_factory=dict)
    """Of the declared reads: a checkpoint analyzer's arrays stacked over the steps, (T, ...); a trajectory analyzer's
    as they are."""
    metrics: Mapping[str, Series] = field(default_factory=dict)
    """Of the declared patterns, up to the last checkpoint where there is one."""
    weights: Mapping[str, Callable[[], Tensor]] = field(default_factory=dict)
    """Of the declared roles: a function that loads that role at all steps, (T, *shape) float32; one at a time fits
    in memory where all together may not."""
    bases: Mapping[str, Basis] = field(default_factory=dict)
    """Of the declared axes and columns, those that the family gives."""
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each axis of a declared weight counts: {'W_E': ('token', 'd_model')}."""
    losses: Mapping[str, LossFunction] = field(default_factory=dict)
    """As a Snapshot's, with the terms of the last step."""
    model: Model | None = None
    """The network, to be run on any weights; for an analyzer that declares model."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the variant's record says of its origin: versions, files imported; for an analyzer that declares facts."""
    sources: tuple[SourceCheckpoint, ...] = ()
    """What the variant is built on, in the order of its family's `sources`; for an analyzer that declares sources."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort(Generic[Chosen]):
    """Several variants, each as its trajectory, in the order of their names."""

    members: tuple[Trajectory[Chosen], ...]
    """Two or more."""
    options: Chosen
    """The analyzer's own options, of the type it declared."""
