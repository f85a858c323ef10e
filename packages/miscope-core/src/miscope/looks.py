"""What analyzers are shown in one look, and where their arrays go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, final

from miscope.analyzer import Analyzer
from miscope.artifact import Arrays, ArtifactKey
from miscope.checkpoint_inputs import CheckpointInputs
from miscope.finiteness import not_finite
from miscope.gathering import moment_of, record, trajectory_of
from miscope.model import matching
from miscope.moment import Cohort, Moment, Trajectory
from miscope.not_applicable import reason_of_reads
from miscope.origin import keeps_optimizer
from miscope.recipe_note import RecipeNote, write_note
from miscope.seeing import Setting, cohort_key, note_of, set_up
from miscope.upstream import missing_reads
from miscope.watch import Watch

if TYPE_CHECKING:
    from miscope.looking import Task
    from miscope.store import Store
    from miscope.workspace import Workspace

__all__ = ["Look", "look_for"]


class Look(ABC):
    """What analyzers are shown in turn, and what becomes of what they give."""

    def __init__(self, analyzers: Mapping[str, Analyzer]) -> None:
        self.analyzers = analyzers
        self.fresh: dict[str, Arrays] = {}
        """Artifacts computed in this very look."""
        self.watch = Watch()
        self.spoilt: list[str] = []
        """What an analyzer changed of what the next would be shown: then the next needs a look of its own."""

    @abstractmethod
    def missing(self, name: str) -> str:
        """Why the analyzer cannot be tried, because of what it reads; "" if it can."""

    @abstractmethod
    def refused(self, name: str) -> str | None:
        """Why the analyzer does not apply, because of what it reads; None if all of that does."""

    @abstractmethod
    def show(self, name: str) -> Moment | Trajectory | Cohort: ...

    @abstractmethod
    def keep(self, name: str, arrays: Arrays) -> None:
        """Put them where they are looked for."""

    @abstractmethod
    def keep_refusal(self, name: str, reason: str) -> None:
        """Note that the analyzer does not apply, so that it is not tried again; OSError where that fails."""

    @abstractmethod
    def keep_failure(self, name: str, reason: str) -> None:
        """Keep the reason where a reader of the artifact will look for it, if the disk takes it."""

    @abstractmethod
    def keys(self, names: Iterable[str]) -> dict[str, ArtifactKey]:
        """Of what was kept as an artifact."""


class _Stored(Look):
    """A look whose arrays become artifacts of the store."""

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

    def keep_refusal(self, name: str, reason: str) -> None:
        self.store.save_refusal(self.key(name), reason)

    def keep_failure(self, name: str, reason: str) -> None:
        with suppress(OSError):
            self.store.save_failure(self.key(name), reason)

    def keys(self, names: Iterable[str]) -> dict[str, ArtifactKey]:
        return {name: self.key(name) for name in names}


def look_for(workspace: Workspace, task: Task) -> Look:
    """What the analyzers of a task are shown, read from the store, where what they give is kept."""
    settings = [
        set_up(workspace, workspace.find(name).value, task.analyzers, steps=steps, options=task.options)
        for name, steps in (task.members or ((task.variant, task.steps),))
    ]
    if task.members:
        return _AcrossVariants(workspace.store, settings)
    if task.step is None:
        return _OverTraining(workspace.store, settings[0])
    return _AtStep(workspace.store, settings[0], task)


@final
class _AtStep(_Stored):
    def __init__(self, store: Store, setting: Setting, task: Task) -> None:
        super().__init__(store, setting.analyzers)
        assert task.step is not None
        self._setting = setting
        looking = [setting.analyzers[name] for name in task.analyzers]
        roles = setting.subject.model.roles
        # A look at sites or at the loss needs all the weights, a look at artifacts none.
        takes_loss = any(a.needs.loss for a in looking)
        all_of_them = takes_loss or any(a.needs.sites for a in looking)
        patterns = ["*"] if all_of_them else [p for a in looking for p in a.needs.weights]
        self._checkpoint = store.load_checkpoint(setting.variant.name, task.step, matching(patterns, roles))
        self._unfinite = not_finite(self._checkpoint.weights)
        if self._unfinite:
            # Of a file that was put there by hand: later looks leave the step out.
            with suppress(OSError):
                store.note_unfinite(setting.variant.name, task.step, self._unfinite)
        trained = setting.subject.task if takes_loss else None
        wants_state = any(a.needs.optimizer for a in looking) or (trained is not None and trained.callbacks is not None)
        self._seen = CheckpointInputs(
            checkpoint=self._checkpoint,
            activations=record(setting.subject, setting.probe, self._checkpoint.weights, looking),
            state=store.load_training_state(setting.variant.name, step=task.step) if wants_state else None,
        )

    def key(self, name: str) -> ArtifactKey:
        return self._setting.key(name, self._checkpoint.step)

    def note(self, name: str) -> RecipeNote:
        return note_of(self._setting, name)

    def missing(self, name: str) -> str:
        step = self._checkpoint.step
        if reason := missing_reads(self.store, self._setting, name, step, fresh=self.fresh):
            return reason
        if self.analyzers[name].needs.optimizer and self._seen.state is None:
            cure = keeps_optimizer(self.store, self._setting.variant.name)
            return f"No optimizer state was kept at step {step}; {cure}"
        return ""

    def refused(self, name: str) -> str | None:
        if self._unfinite and self.analyzers[name].needs.checkpoint:
            return f"at step {self._checkpoint.step}, {self._unfinite}"
        return reason_of_reads(self.store, self._setting, name, self._checkpoint.step)

    def show(self, name: str) -> Moment:
        artifacts = {upstream: self._artifact(upstream) for upstream in self.analyzers[name].needs.reads}
        return moment_of(self._setting, name, seen=self._seen, artifacts=artifacts)

    def _artifact(self, upstream: str) -> Arrays:
        if upstream not in self.fresh:
            self.fresh[upstream] = self.store.load_arrays(self.key(upstream))
        return self.fresh[upstream]


@final
class _OverTraining(_Stored):
    def __init__(self, store: Store, setting: Setting) -> None:
        super().__init__(store, setting.analyzers)
        self._setting = setting

    def key(self, name: str) -> ArtifactKey:
        return self._setting.key(name)

    def note(self, name: str) -> RecipeNote:
        return note_of(self._setting, name)

    def missing(self, name: str) -> str:
        return missing_reads(self.store, self._setting, name)

    def refused(self, name: str) -> str | None:
        return reason_of_reads(self.store, self._setting, name, None)

    def show(self, name: str) -> Trajectory:
        return trajectory_of(self._setting, name, self.store)


@final
class _AcrossVariants(_Stored):
    def __init__(self, store: Store, settings: Sequence[Setting]) -> None:
        super().__init__(store, settings[0].analyzers)
        self._settings = settings

    def key(self, name: str) -> ArtifactKey:
        return cohort_key(self._settings, name)

    def note(self, name: str) -> RecipeNote:
        return replace(note_of(self._settings[0], name), steps=None)

    def missing(self, name: str) -> str:
        return next(filter(None, (missing_reads(self.store, s, name) for s in self._settings)), "")

    def refused(self, name: str) -> str | None:
        return next(filter(None, (reason_of_reads(self.store, s, name, None) for s in self._settings)), None)

    def show(self, name: str) -> Cohort:
        members = tuple(trajectory_of(setting, name, self.store) for setting in self._settings)
        return Cohort(members=members, options=self._settings[0].options_of(name))
