"""What an analyzer or a view is given of a variant: exactly what it declared, each thing made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np

from miscope.analysis.checkpoint_inputs import CheckpointInputs
from miscope.analysis.losses import losses_of
from miscope.analysis.recorded_metrics import metrics_until
from miscope.analysis.resolved_analysis import ResolvedAnalysis
from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.forward import activations
from miscope.lazily import Lazily, torch
from miscope.model import LOGITS, cast, matching
from miscope.model_context import ModelContext
from miscope.needs import Needs
from miscope.optimizer_group import configured_groups, groups_of_roles
from miscope.snapshot import Declared, Series, Snapshot, Trajectory
from miscope.view import View

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.probe import Probe
    from miscope.store.store import Store

__all__ = ["Gathering", "record", "snapshot_of", "trajectory_of"]

V = TypeVar("V")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Gathering:
    """What one analyzer or view declares, found in one variant, under the names it has there."""

    reader: str
    """Name of the analyzer or view, for who reads what it did not declare."""
    needs: Needs
    context: ModelContext

    @classmethod
    def of(cls, reader: Analyzer | View, context: ModelContext) -> Gathering:
        """For this analyzer or view."""
        return cls(reader=reader.name, needs=reader.needs, context=context)

    @property
    def roles(self) -> tuple[str, ...]:
        """The declared weights."""
        return matching(self.needs.weights, self.context.model.roles) if self.needs.weights else ()

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """What is counted along each axis of those."""
        return {role: self.context.model.roles[role].axes for role in self.roles}

    def weights(self, values: Mapping[str, V]) -> Declared[V]:
        """Of these, by role, the declared ones."""
        return self._declared("weights", "weight", {role: values[role] for role in self.roles if role in values})

    def activations(self, recorded: Mapping[str, Mapping[str, Tensor]]) -> Declared[Tensor]:
        """Of what was recorded, by positions and site, that of the declared sites."""
        there = recorded.get(self.needs.positions, {})
        wanted = matching(self.needs.sites, sorted(self.context.model.sites)) if self.needs.sites else ()
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
        there = self.context.bases if self.needs.bases else {}
        return self._declared("bases", "basis", {axis: there[axis] for axis in matching(self.needs.bases, there)})

    def _declared(self, field: str, what: str, values: Mapping[str, V]) -> Declared[V]:
        return Declared(values, reader=self.reader, field=field, what=what, patterns=getattr(self.needs, field))


def record(
    context: ModelContext, probe: Probe, weights: Mapping[str, Tensor], analyzers: Iterable[Analyzer]
) -> dict[str, dict[str, Tensor]]:
    """Activations of every site that the analyzers declare, by 'answer' and 'all' positions; one pass for each.

    Float32; the logits come from a pass of their own in float64 throughout.
    """
    model = context.model
    wanted: dict[str, set[str]] = {"answer": set(), "all": set()}
    for analyzer in analyzers:
        wanted[analyzer.needs.positions] |= set(matching(analyzer.needs.sites, model.sites))
    passes = {"answer": model.answers, "all": model.run}
    everything = wanted["answer"] | wanted["all"]
    # Each precision once, and only where a site is wanted in it.
    double = cast(weights, torch.float64) if LOGITS in everything else {}
    single = cast(weights, torch.float32) if everything - {LOGITS} else {}
    return {
        positions: activations(passes[positions], double, probe.inputs, sites & {LOGITS})
        | activations(passes[positions], single, probe.inputs, sites - {LOGITS})
        for positions, sites in wanted.items()
    }


def snapshot_of(
    analysis: ResolvedAnalysis, name: str, *, seen: CheckpointInputs, artifacts: Mapping[str, Arrays]
) -> Snapshot:
    """What a checkpoint analyzer is shown. artifacts: of everything it reads."""
    analyzer, checkpoint = analysis.analyzers[name], seen.checkpoint
    needs, given = analyzer.needs, Gathering.of(analyzer, analysis.context)
    losses = losses_of(analysis.context, checkpoint.step, seen.buffers) if needs.loss else {}
    return Snapshot(
        variant=analysis.variant,
        step=checkpoint.step,
        options=analysis.options_of(name),
        probe=analysis.shown_probe(name),
        weights=given.weights(checkpoint.weights),
        activations=given.activations(seen.activations),
        artifacts=given.artifacts(artifacts),
        bases=given.bases(),
        axes=given.axes,
        gradients=losses["train"].gradient(checkpoint.weights, given.roles) if needs.gradients else {},
        **_optimizer(given, seen) if needs.optimizer else {},
        losses=losses if needs.objective else {},
        model=analysis.context.model if needs.model else None,
        sources=analysis.context.sources if needs.sources else (),
    )


def _optimizer(given: Gathering, seen: CheckpointInputs) -> dict[str, Any]:
    """What the optimizer remembers of the declared weights, and how it treated them."""
    context, config = given.context, given.context.variant.training
    groups = seen.optimizer_groups
    if not groups and config is not None:
        shapes = {name: role.shape for name, role in context.model.roles.items()}
        groups = configured_groups(config, shapes, seen.checkpoint.step)
    remembered = {role: seen.optimizer_state[role] for role in given.roles if role in seen.optimizer_state}
    return {"optimizer_state": remembered, "optimizer_groups": groups_of_roles(groups, given.roles)}


def trajectory_of(analysis: ResolvedAnalysis, name: str, store: Store) -> Trajectory:
    """What a trajectory or cohort analyzer is shown of one variant; arrays and weights are loaded when asked for."""
    analyzer, variant = analysis.analyzers[name], analysis.variant
    needs, given = analyzer.needs, Gathering.of(analyzer, analysis.context)
    weights = {role: partial(_role_over_time, store, variant.name, analysis.steps, role) for role in given.roles}
    return Trajectory(
        variant=variant,
        steps=np.asarray(analysis.steps, dtype=np.int64),
        options=analysis.options_of(name),
        probe=analysis.shown_probe(name),
        artifacts=given.artifacts({upstream: _artifact_of(analysis, upstream, store) for upstream in needs.reads}),
        metrics=given.metrics(metrics_until(store, variant.name, analysis.steps, needs.metrics)),
        weights=given.weights(weights),
        bases=given.bases(),
        axes=given.axes,
        losses=losses_of(analysis.context, analysis.steps[-1]) if needs.objective and analysis.steps else {},
        model=analysis.context.model if needs.model else None,
        facts=analysis.facts if needs.facts else {},
        sources=analysis.context.sources if needs.sources else (),
    )


def _artifact_of(analysis: ResolvedAnalysis, name: str, store: Store) -> Arrays:
    """An artifact as a trajectory sees it: of checkpoint grain stacked over the steps, otherwise as it is."""
    if analysis.analyzers[name].grain is not Grain.CHECKPOINT:
        return store.load_arrays(analysis.key(name))
    if not analysis.steps:
        return {}
    return Lazily(store.load_arrays(analysis.key(name, analysis.steps[0])), partial(_stack, store, analysis, name))


def _stack(store: Store, analysis: ResolvedAnalysis, analyzer: str, array: str) -> np.ndarray:
    key = analysis.key(analyzer)
    stacked = store.stacked(key.variant, key.analyzer, key.recipe, [array])
    if np.array_equal(stacked["step"], analysis.steps):
        return stacked[array]
    return stacked[array][np.searchsorted(stacked["step"], analysis.steps)]


def _role_over_time(store: Store, variant: str, steps: Sequence[int], role: str) -> Tensor:
    return torch.stack([store.load_checkpoint(variant, step, [role]).weights[role].float() for step in steps])
