"""What the analyzers of one job are shown, and where their arrays go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, final

from miscope.analysis.checkpoint_inputs import CheckpointInputs
from miscope.analysis.dependencies import missing_reads
from miscope.analysis.gathering import record, snapshot_of, trajectory_of
from miscope.analysis.input_guard import InputGuard
from miscope.analysis.not_applicable import reason_of_reads
from miscope.analysis.recipe_note import RecipeNote, write_note
from miscope.analysis.resolved_analysis import ResolvedAnalysis, cohort_key, note_of, resolve_analysis
from miscope.analyzer import Analyzer
from miscope.artifact import Arrays, ArtifactKey
from miscope.finiteness import not_finite
from miscope.model import matching
from miscope.snapshot import Cohort, Snapshot, Trajectory
from miscope.store.standing import keeps_optimizer

if TYPE_CHECKING:
    from miscope.analysis.job import Job
    from miscope.store.store import Store
    from miscope.workspace import Workspace

__all__ = ["JobInputs", "inputs_of"]


class JobInputs(ABC):
    """What analyzers are shown in turn, and what becomes of what they give."""

    def __init__(self, analyzers: Mapping[str, Analyzer]) -> None:
        self.analyzers = analyzers
        self.fresh: dict[str, Arrays] = {}
        """Artifacts computed in this very job."""
        self.guard = InputGuard()
        self.changed: list[str] = []
        """What an analyzer changed of what the next would be shown: then the next needs inputs gathered anew."""

    @abstractmethod
    def missing(self, name: str) -> str:
        """Why the analyzer cannot be tried, because of what it reads; "" if it can."""

    @abstractmethod
    def not_applicable(self, name: str) -> str | None:
        """Why the analyzer does not apply, because of what it reads; None if all of that does."""

    @abstractmethod
    def show(self, name: str) -> Snapshot | Trajectory | Cohort: ...

    @abstractmethod
    def keep(self, name: str, arrays: Arrays) -> None:
        """Put them where they are looked for."""

    @abstractmethod
    def keep_not_applicable(self, name: str, reason: str) -> None:
        """Note that the analyzer does not apply, so that it is not tried again; OSError where that fails."""

    @abstractmethod
    def keep_failure(self, name: str, reason: str) -> None:
        """Keep the reason where a reader of the artifact will look for it, if the disk takes it."""

    @abstractmethod
    def keys(self, names: Iterable[str]) -> dict[str, ArtifactKey]:
        """Of what was kept as an artifact."""


class _StoredInputs(JobInputs):
    """Inputs of a job whose arrays become artifacts of the store."""

    def __init__(self, store: Store, analyzers: Mapping[str, Analyzer]) -> None:
        super().__init__(analyzers)
        self.store = store

    @abstractmethod
    def key(self, name: str) -> ArtifactKey: ...

    @abstractmethod
    def note(self, name: str) -> RecipeNote:
        """What the recipe of the artifact stands for."""

    def keep(self, name: str, arrays: Arrays) -> None:
        self.store.save_arrays(self.key(name), arrays)
        write_note(self.store.layout, self.key(name), self.note(name))

    def keep_not_applicable(self, name: str, reason: str) -> None:
        self.store.save_not_applicable(self.key(name), reason)

    def keep_failure(self, name: str, reason: str) -> None:
        with suppress(OSError):
            self.store.save_failure(self.key(name), reason)

    def keys(self, names: Iterable[str]) -> dict[str, ArtifactKey]:
        return {name: self.key(name) for name in names}


def inputs_of(workspace: Workspace, job: Job) -> JobInputs:
    """What the analyzers of a job are shown, read from the store, where what they give is kept."""
    analyses = [
        resolve_analysis(workspace, workspace.find(name), job.analyzers, steps=steps, options=job.options)
        for name, steps in (job.members or ((job.variant, job.steps),))
    ]
    if job.members:
        return _AcrossVariants(workspace.store, analyses)
    if job.step is None:
        return _OverTraining(workspace.store, analyses[0])
    return _AtStep(workspace.store, analyses[0], job)


@final
class _AtStep(_StoredInputs):
    def __init__(self, store: Store, analysis: ResolvedAnalysis, job: Job) -> None:
        super().__init__(store, analysis.analyzers)
        assert job.step is not None
        self._analysis = analysis
        wanted = [analysis.analyzers[name] for name in job.analyzers]
        roles = analysis.context.model.roles
        # What reads sites or the loss needs all the weights, what reads artifacts none.
        takes_loss = any(a.needs.loss for a in wanted)
        all_of_them = takes_loss or any(a.needs.sites for a in wanted)
        patterns = ["*"] if all_of_them else [p for a in wanted for p in a.needs.weights]
        self._checkpoint = store.load_checkpoint(analysis.variant.name, job.step, matching(patterns, roles))
        self._unfinite = not_finite(self._checkpoint.weights)
        if self._unfinite:
            # Of a file that was put there by hand: later analyses leave the step out.
            with suppress(OSError):
                store.note_unfinite(analysis.variant.name, job.step, self._unfinite)
        trained = analysis.context.task if takes_loss else None
        wants_state = any(a.needs.optimizer for a in wanted) or (trained is not None and trained.callbacks is not None)
        self._seen = CheckpointInputs(
            checkpoint=self._checkpoint,
            activations=record(analysis.context, analysis.probe, self._checkpoint.weights, wanted),
            state=store.load_training_state(analysis.variant.name, step=job.step) if wants_state else None,
        )

    def key(self, name: str) -> ArtifactKey:
        return self._analysis.key(name, self._checkpoint.step)

    def note(self, name: str) -> RecipeNote:
        return note_of(self._analysis, name)

    def missing(self, name: str) -> str:
        step = self._checkpoint.step
        if reason := missing_reads(self.store, self._analysis, name, step, fresh=self.fresh):
            return reason
        if self.analyzers[name].needs.optimizer and self._seen.state is None:
            cure = keeps_optimizer(self.store, self._analysis.variant.name)
            return f"No optimizer state was kept at step {step}; {cure}"
        return ""

    def not_applicable(self, name: str) -> str | None:
        if self._unfinite and self.analyzers[name].needs.checkpoint:
            return f"at step {self._checkpoint.step}, {self._unfinite}"
        return reason_of_reads(self.store, self._analysis, name, self._checkpoint.step)

    def show(self, name: str) -> Snapshot:
        artifacts = {upstream: self._artifact(upstream) for upstream in self.analyzers[name].needs.reads}
        return snapshot_of(self._analysis, name, seen=self._seen, artifacts=artifacts)

    def _artifact(self, upstream: str) -> Arrays:
        if upstream not in self.fresh:
            self.fresh[upstream] = self.store.load_arrays(self.key(upstream))
        return self.fresh[upstream]


@final
class _OverTraining(_StoredInputs):
    def __init__(self, store: Store, analysis: ResolvedAnalysis) -> None:
        super().__init__(store, analysis.analyzers)
        self._analysis = analysis

    def key(self, name: str) -> ArtifactKey:
        return self._analysis.key(name)

    def note(self, name: str) -> RecipeNote:
        return note_of(self._analysis, name)

    def missing(self, name: str) -> str:
        return missing_reads(self.store, self._analysis, name)

    def not_applicable(self, name: str) -> str | None:
        return reason_of_reads(self.store, self._analysis, name, None)

    def show(self, name: str) -> Trajectory:
        return trajectory_of(self._analysis, name, self.store)


@final
class _AcrossVariants(_StoredInputs):
    def __init__(self, store: Store, analyses: Sequence[ResolvedAnalysis]) -> None:
        super().__init__(store, analyses[0].analyzers)
        self._analyses = analyses

    def key(self, name: str) -> ArtifactKey:
        return cohort_key(self._analyses, name)

    def note(self, name: str) -> RecipeNote:
        return replace(note_of(self._analyses[0], name), steps=None)

    def missing(self, name: str) -> str:
        return next(filter(None, (missing_reads(self.store, a, name) for a in self._analyses)), "")

    def not_applicable(self, name: str) -> str | None:
        return next(filter(None, (reason_of_reads(self.store, a, name, None) for a in self._analyses)), None)

    def show(self, name: str) -> Cohort:
        members = tuple(trajectory_of(analysis, name, self.store) for analysis in self._analyses)
        return Cohort(members=members, options=self._analyses[0].options_of(name))
