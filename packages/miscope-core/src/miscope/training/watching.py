"""Instruments that are computed on the weights while they are trained; their scalars are recorded as metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, final

from miscope.analysis.applicability import chain_applies
from miscope.analysis.checkpoint_inputs import CheckpointInputs
from miscope.analysis.gathering import record, snapshot_of
from miscope.analysis.job import Job
from miscope.analysis.job_inputs import JobInputs
from miscope.analysis.not_applicable import because_of
from miscope.analysis.perform import attempted
from miscope.analysis.planning import resolve
from miscope.analysis.process_settings import undisturbed
from miscope.analysis.resolved_analysis import ResolvedAnalysis, resolve_analysis
from miscope.artifact import Arrays, ArtifactKey
from miscope.checkpoint import Checkpoint
from miscope.commands import in_workspace
from miscope.errors import BadValue, DoesNotApply
from miscope.finiteness import not_finite
from miscope.outcome import State
from miscope.snapshot import Snapshot
from miscope.store.training_state import TrainingState
from miscope.training.checkpoint_writer import state_of
from miscope.training.watch_intervals import watch_intervals
from miscope.training.watched import Watched
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.training.trainer import Trainer
    from miscope.workspace import Workspace

__all__ = ["Watcher", "watcher_of"]


@final
class Watcher:
    """The instruments that watch one training."""

    def __init__(self, analysis: ResolvedAnalysis, every: Mapping[str, int]) -> None:
        """every: steps from one computation to the next, by analyzer."""
        self._analysis, self._every = analysis, dict(every)
        self._waiting: set[str] = set()

    def measure(self, step: int, trainer: Trainer, *, kept: bool) -> Watched:
        """What the instruments whose turn it is see of the weights as they are; all of them at a step that is kept."""
        due = [name for name, every in self._every.items() if kept or step % every == 0]
        if not due:
            return Watched()
        remembers = any(analyzer.needs.optimizer for analyzer in resolve(self._analysis.analyzers, due).values())
        state = state_of(step, trainer, {}, optimizer=remembers)
        seen = self.inputs(state, [name for name in due if not self._waits(name, state)])
        for name in seen.lost:
            del self._every[name]
        return seen

    def inputs(self, state: TrainingState, names: Sequence[str]) -> Watched:
        """What these instruments see of a training in this state."""
        if not names:
            return Watched()
        chain = tuple(resolve(self._analysis.analyzers, names))
        job = Job(variant=self._analysis.variant.name, step=state.step, analyzers=chain, steps=())
        results = _Results()
        with undisturbed():
            outcomes = attempted(lambda: _LiveInputs(self._analysis, chain, state, results), job)
        metrics = {
            f"{name}/{output}": value
            for outcome in outcomes
            for name, scalars in outcome.scalars.items()
            for output, value in (scalars.items() if name in names else ())
        }
        failed = (outcome for outcome in outcomes if outcome.state is not State.SAVED)
        return Watched(
            metrics=metrics, lost={n: outcome for outcome in failed for n in outcome.analyzers if n in names}
        )

    def _waits(self, name: str, state: TrainingState) -> bool:
        """Whether it needs what the optimizer remembers, and that has not made its first update; once only."""
        chain = resolve(self._analysis.analyzers, [name]).values()
        if state.optimizer_state or name in self._waiting or not any(analyzer.needs.optimizer for analyzer in chain):
            return False
        self._waiting.add(name)
        return True


def watcher_of(workspace: Workspace, variant: Variant, watch: Sequence[str], unasked: Collection[str] = ()) -> Watcher:
    """Of these instruments: 'rank.stable', 'rank.stable:100' for every hundredth step and every checkpoint.

    Each is tried on the first weights. Raises UnknownName, DoesNotApply, and BadValue for one that spans training,
    fails, or gives no single number. unasked: names of those that nobody named, and that are left out where they do
    not apply.
    """
    assert variant.training is not None
    every = watch_intervals(
        workspace.plugins.analyzers,
        watch,
        default=variant.training.evaluate_every,
        afterwards=partial(_afterwards, workspace, variant),
    )
    with undisturbed():  # networks are built, which draws
        while True:
            try:
                return _tried(workspace, variant, every)
            except DoesNotApply as refusal:
                if refusal.name not in unasked:
                    raise
                every = {name: steps for name, steps in every.items() if name != refusal.name}


def _tried(workspace: Workspace, variant: Variant, every: Mapping[str, int]) -> Watcher:
    assert variant.training is not None
    for name in every:
        _check(workspace, variant, name)
    watcher = Watcher(resolve_analysis(workspace, variant, every, steps=(variant.training.steps,)), every)
    _try(workspace, variant, watcher, every)
    return watcher


def _check(workspace: Workspace, variant: Variant, name: str) -> None:
    """Raise DoesNotApply where it has nothing to look at."""
    chain = resolve(workspace.plugins.analyzers, [name])
    context = workspace.context(variant)
    if (reason := chain_applies(chain, context, (), lacking=None, stateless=lambda: None)) is not None:
        raise DoesNotApply(reason, name=name, variant=variant.name)


def _afterwards(workspace: Workspace, variant: Variant, name: str) -> str:
    """The line that computes it once the training is over."""
    return in_workspace(workspace.root, f"miscope analyze {variant.name} --only {name}")


def _try(workspace: Workspace, variant: Variant, watcher: Watcher, names: Iterable[str]) -> None:
    """Watch the first weights; an optimizer remembers nothing yet, so what looks at that is not tried."""
    task, table = workspace.context(variant).task, workspace.plugins.analyzers
    tried = [name for name in names if not any(each.needs.optimizer for each in resolve(table, [name]).values())]
    if task is None or not tried:
        return
    seen = watcher.inputs(TrainingState(step=0, weights=task.initial_weights()), tried)
    for name in tried:
        outcome = seen.lost.get(name)
        if outcome is not None and outcome.state is State.SKIPPED:
            raise DoesNotApply(outcome.error.removeprefix("does not apply: "), name=name, variant=variant.name)
        if outcome is not None:
            raise BadValue(
                f"{name!r} cannot be watched: it fails on the first weights of {variant.name}.",
                outcome.error.splitlines()[0],
                "Leave it out; once there is a checkpoint, `miscope analyze --only` says where it fails.",
            )
        if not any(metric.startswith(f"{name}/") for metric in seen.metrics):
            raise BadValue(
                f"{name!r} cannot be watched: it gives no single number.",
                f"Its outputs are: {', '.join(table[name].outputs) or 'not documented'}.",
                f"Analyze it afterwards:  {_afterwards(workspace, variant, name)}",
            )


@final
@dataclass(kw_only=True, eq=False)
class _Results:
    """What became of the analyzers of one step so far, if its inputs are gathered several times."""

    fresh: dict[str, Arrays] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


@final
class _LiveInputs(JobInputs):
    """Inputs of weights that are in training: nothing is read from the store, and nothing kept there."""

    def __init__(
        self, analysis: ResolvedAnalysis, names: Sequence[str], state: TrainingState, results: _Results
    ) -> None:
        super().__init__(analysis.analyzers)
        self.fresh, self._results, self._analysis = results.fresh, results, analysis
        wanted = [analysis.analyzers[name] for name in names]
        weights = _copied(state.weights)
        optimizer_state = {role: _copied(remembered) for role, remembered in state.optimizer_state.items()}
        self._unfinite = not_finite(weights)
        self._seen = CheckpointInputs(
            checkpoint=Checkpoint(step=state.step, weights=weights),
            activations=record(analysis.context, analysis.probe, weights, wanted),
            state=replace(state, weights=weights, optimizer_state=optimizer_state, buffers=_copied(state.buffers)),
        )

    def missing(self, name: str) -> str:
        failed = next(
            (upstream for upstream in self.analyzers[name].needs.reads if upstream in self._results.failed), None
        )
        return "" if failed is None else f"It reads {failed!r}, which failed: {self._results.failed[failed]}"

    def not_applicable(self, name: str) -> str | None:
        if self._unfinite and self.analyzers[name].needs.checkpoint:
            return f"at step {self._seen.checkpoint.step}, {self._unfinite}"
        reasons = (
            (upstream, self._results.not_applicable.get(upstream)) for upstream in self.analyzers[name].needs.reads
        )
        return next((because_of(upstream, reason) for upstream, reason in reasons if reason is not None), None)

    def show(self, name: str) -> Snapshot:
        artifacts = {upstream: self.fresh[upstream] for upstream in self.analyzers[name].needs.reads}
        return snapshot_of(self._analysis, name, seen=self._seen, artifacts=artifacts)

    def keep(self, name: str, arrays: Arrays) -> None:
        pass

    def keep_not_applicable(self, name: str, reason: str) -> None:
        self._results.not_applicable[name] = reason

    def keep_failure(self, name: str, reason: str) -> None:
        self._results.failed[name] = reason

    def keys(self, names: Iterable[str]) -> dict[str, ArtifactKey]:
        return {}


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU: whatever is done to them, the training's own stay as they are."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
