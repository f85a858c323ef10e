"""What an analyzer or a view is given of a variant: exactly what it declared, each thing made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar, final

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.checkpoint_inputs import CheckpointInputs
from miscope.forward import activations
from miscope.lazily import Lazily, torch
from miscope.losses import losses_of
from miscope.model import LOGITS, cast, matching
from miscope.moment import Declared, Moment, Series, Trajectory
from miscope.needs import Needs
from miscope.recorded import metrics_until
from miscope.seeing import Setting
from miscope.subject import Subject
from miscope.view import View

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.probe import Probe
    from miscope.store import Store

__all__ = ["Gathering", "moment_of", "record", "trajectory_of"]

V = TypeVar("V")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Gathering:
    """What one analyzer or view declares, found in one variant, under the names it has there."""

    reader: str
    """Name of the analyzer or view, for who reads what it did not declare."""
    needs: Needs
    subject: Subject

    @classmethod
    def of(cls, reader: Analyzer | View, subject: Subject) -> Gathering:
        """For this analyzer or view."""
        return cls(reader=reader.name, needs=reader.needs, subject=subject)

    @property
    def roles(self) -> tuple[str, ...]:
        """The declared weights."""
        return matching(self.needs.weights, self.subject.model.roles) if self.needs.weights else ()

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """What is counted along each axis of those."""
        return {role: self.subject.model.roles[role].axes for role in self.roles}

    def weights(self, values: Mapping[str, V]) -> Declared[V]:
        """Of these, by role, the declared ones."""
        return self._declared("weights", "weight", {role: values[role] for role in self.roles if role in values})

    def activations(self, recorded: Mapping[str, Mapping[str, Tensor]]) -> Declared[Tensor]:
        """Of what was recorded, by positions and site, that of the declared sites."""
        there = recorded.get(self.needs.positions, {})
        wanted = matching(self.needs.sites, sorted(self.subject.model.sites)) if self.needs.sites else ()
        return self._declared("sites", "site", {site: there[site] for site in wanted if site in there})

    def artifacts(self, values: Mapping[str, Arrays]) -> Declared[Arrays]:
        """These, of the analyzers that it reads, or uses if they are there."""
        patterns = (*self.needs.reads, *self.needs.optional)
        return Declared(values, reader=self.reader, field="reads", what="artifact", patterns=patterns)

    def history(self, values: Mapping[str, Arrays]) -> Declared[Arrays]:
        """These, stacked over training."""
        return self._declared("history", "artifact", values)

    def metrics(self, values: Mapping[str, Series]) -> Declared[Series]:
        """These, of the declared patterns."""
        return self._declared("metrics", "metric", values)

    def bases(self) -> Declared[Basis]:
        """The task bases of the declared axes and columns that the family gives."""
        there = self.subject.bases if self.needs.bases else {}
        return self._declared("bases", "basis", {axis: there[axis] for axis in matching(self.needs.bases, there)})

    def _declared(self, field: str, what: str, values: Mapping[str, V]) -> Declared[V]:
        return Declared(values, reader=self.reader, field=field, what=what, patterns=getattr(self.needs, field))


def record(
    subject: Subject, probe: Probe, weights: Mapping[str, Tensor], analyzers: Iterable[Analyzer]
) -> dict[str, dict[str, Tensor]]:
    """Activations of every site that the analyzers declare, by 'answer' and 'all' positions; one pass for each.

    Float32; the logits come from a pass of their own in float64 throughout.
    """
    model = subject.model
    wanted: dict[str, set[str]] = {"answer": set(), "all": set()}
    for analyzer in analyzers:
        wanted[analyzer.needs.positions] |= set(matching(analyzer.needs.sites, model.sites))
    look = {"answer": model.answers, "all": model.run}
    everything = wanted["answer"] | wanted["all"]
    # Each precision once, and only where a site is wanted in it.
    double = cast(weights, torch.float64) if LOGITS in everything else {}
    single = cast(weights, torch.float32) if everything - {LOGITS} else {}
    return {
        positions: activations(look[positions], double, probe.inputs, sites & {LOGITS})
        | activations(look[positions], single, probe.inputs, sites - {LOGITS})
        for positions, sites in wanted.items()
    }


def moment_of(setting: Setting, name: str, *, seen: CheckpointInputs, artifacts: Mapping[str, Arrays]) -> Moment:
    """What a checkpoint analyzer is shown. artifacts: of everything it reads."""
    analyzer, checkpoint = setting.analyzers[name], seen.checkpoint
    needs, given = analyzer.needs, Gathering.of(analyzer, setting.subject)
    losses = losses_of(setting.subject, checkpoint.step, seen.buffers) if needs.loss else {}
    return Moment(
        variant=setting.variant,
        step=checkpoint.step,
        options=setting.options_of(name),
        probe=setting.shown_probe(name),
        weights=given.weights(checkpoint.weights),
        activations=given.activations(seen.activations),
        artifacts=given.artifacts(artifacts),
        bases=given.bases(),
        axes=given.axes,
        gradients=losses["train"].gradient(checkpoint.weights, given.roles) if needs.gradients else {},
        moments={role: seen.moments[role] for role in given.roles if role in seen.moments} if needs.optimizer else {},
        losses=losses if needs.objective else {},
        model=setting.subject.model if needs.runs else None,
    )


def trajectory_of(setting: Setting, name: str, store: Store) -> Trajectory:
    """What a trajectory or cohort analyzer is shown of one variant; arrays and weights are loaded when asked for."""
    analyzer, variant = setting.analyzers[name], setting.variant
    needs, given = analyzer.needs, Gathering.of(analyzer, setting.subject)
    weights = {role: partial(_role_over_time, store, variant.name, setting.steps, role) for role in given.roles}
    return Trajectory(
        variant=variant,
        steps=np.asarray(setting.steps, dtype=np.int64),
        options=setting.options_of(name),
        probe=setting.shown_probe(name),
        artifacts=given.artifacts({upstream: _artifact_of(setting, upstream, store) for upstream in needs.reads}),
        metrics=given.metrics(metrics_until(store, variant.name, setting.steps, needs.metrics)),
        weights=given.weights(weights),
        bases=given.bases(),
        axes=given.axes,
        losses=losses_of(setting.subject, setting.steps[-1]) if needs.objective and setting.steps else {},
        model=setting.subject.model if needs.runs else None,
        facts=setting.facts if needs.facts else {},
    )


def _artifact_of(setting: Setting, name: str, store: Store) -> Arrays:
    """An artifact as a trajectory sees it: of checkpoint grain stacked over the steps, otherwise as it is."""
    if setting.analyzers[name].grain is not Grain.CHECKPOINT:
        return store.load_arrays(setting.key(name))
    if not setting.steps:
        return {}
    return Lazily(store.load_arrays(setting.key(name, setting.steps[0])), partial(_stack, store, setting, name))


def _stack(store: Store, setting: Setting, analyzer: str, array: str) -> np.ndarray:
    key = setting.key(analyzer)
    stacked = store.stacked(key.variant, key.analyzer, key.recipe, [array])
    if np.array_equal(stacked["step"], setting.steps):
        return stacked[array]
    return stacked[array][np.searchsorted(stacked["step"], setting.steps)]


def _role_over_time(store: Store, variant: str, steps: Sequence[int], role: str) -> Tensor:
    return torch.stack([store.load_checkpoint(variant, step, [role]).weights[role].float() for step in steps])
