"""One task: take a look, save what the instruments make of it. Runs wherever an executor puts it."""

from __future__ import annotations

import functools
import importlib
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Analyzer
from miscope.artifact import Arrays, ArtifactKey, scalars_of
from miscope.checkpoint_inputs import CheckpointInputs
from miscope.errors import DoesNotApply, MiscopeError, WroteIntoShown
from miscope.finiteness import not_finite
from miscope.model import matching
from miscope.moment import Cohort, Moment, Trajectory
from miscope.outcome import Outcome, State
from miscope.recipe_note import RecipeNote, write_note
from miscope.returned import returned_arrays
from miscope.seeing import Setting, cohort_key, moment_of, note_of, record, set_up, trajectory_of
from miscope.upstream import because_of, missing_reads, refused_reads
from miscope.watch import Watch

if TYPE_CHECKING:
    from miscope.store import Store
    from miscope.workspace import Workspace

__all__ = ["Portable", "Task", "failed", "perform"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A look to take, in names only, so that any process with the same plug-ins can take it."""

    variant: str
    """Name, or 'cohort/<digest>' where the look spans `members`."""
    step: int | None
    analyzers: tuple[str, ...]
    steps: tuple[int, ...]
    """The checkpoints that trajectory grain spans."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Of cohort grain: each variant's name and the checkpoints spanned."""


@final
class Portable:
    """A workspace that travels as its address: pickled, it is a folder and module names; opened once a process."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __reduce__(self) -> tuple[Callable[..., Portable], tuple[str, tuple[tuple[str, str], ...]]]:
        # What has no importable module stays behind; a task that needs it says there what is missing.
        modules = tuple((p.plugin, p.module) for p in self.workspace.plugins.providers if p.module)
        return _opened_once, (str(self.workspace.root), modules)


@functools.cache
def _opened_once(root: str, modules: tuple[tuple[str, str], ...]) -> Portable:
    from miscope.plugins import Plugins
    from miscope.workspace import open_workspace

    plugins = Plugins.of(**{name: importlib.import_module(module) for name, module in modules})
    return Portable(open_workspace(root, plugins))


def perform(place: Portable, task: Task) -> tuple[Outcome, ...]:
    """What became of each analyzer of the task. Never raises: a failure is an outcome."""
    started = time.perf_counter()
    try:
        look = _look(place.workspace, task)
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the task door: whatever goes wrong becomes an outcome
        return (failed(task, task.analyzers, error, time.perf_counter() - started),)
    saved: dict[str, dict[str, float]] = {}
    others = []
    for name in task.analyzers:
        began = time.perf_counter()
        try:
            if look.spoilt:
                look = _look(place.workspace, task)
            if (reason := look.refused(name)) is not None:
                raise DoesNotApply(name, task.variant, reason)
            if reason := look.missing(name):
                others.append(_ended(task, (name,), State.NOT_TRIED, error=reason))
                look.keep_failure(name, reason)
                continue
            saved[name] = scalars_of(_take(look, name))
        except DoesNotApply as error:
            others.append(_refused(look, task, name, error.reason))
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the task door; an instrument ends no program
            others.append(failed(task, (name,), error, time.perf_counter() - began))
            look.keep_failure(name, others[-1].error)
    if not saved:
        return tuple(others)
    keys = {name: look.key(name) for name in saved}
    seconds = time.perf_counter() - started
    return (_ended(task, saved, State.SAVED, seconds=seconds, scalars=saved, keys=keys), *others)


def _refused(look: _Look, task: Task, name: str, reason: str) -> Outcome:
    """The refusal as an outcome, once it is written down; a failure where it cannot be: it would be tried again."""
    try:
        look.store.save_refusal(look.key(name), reason)
    except OSError as error:
        return failed(task, (name,), error)
    return _ended(task, (name,), State.SKIPPED, error=f"does not apply: {reason}")


def failed(task: Task, analyzers: Iterable[str], error: BaseException, seconds: float = 0.0) -> Outcome:
    """The outcome of an exception; miscope's own are explained by their text, others by a traceback."""
    if isinstance(error, MiscopeError):
        return _ended(task, analyzers, State.FAILED, seconds=seconds, error=str(error))
    trace = "".join(traceback.format_exception(error))
    return _ended(task, analyzers, State.FAILED, seconds=seconds, error=f"{type(error).__name__}: {error}", trace=trace)


def _ended(task: Task, analyzers: Iterable[str], state: State, **facts: Any) -> Outcome:
    return Outcome(variant=task.variant, analyzers=tuple(analyzers), step=task.step, state=state, **facts)


def _take(look: _Look, name: str) -> Arrays:
    import torch

    shown = look.show(name)
    look.watch.see(shown)
    try:
        with torch.no_grad():
            arrays = returned_arrays(name, look.analyzers[name].compute(shown), stacked=isinstance(shown, Moment))
    finally:
        # Also of one that fails: what it wrote before must not be seen by the next.
        look.spoilt = look.watch.changed(shown)
    if look.spoilt:
        raise WroteIntoShown(name, look.spoilt)
    look.store.save_arrays(look.key(name), arrays)
    write_note(look.store.layout, look.key(name), look.note(name))
    look.fresh[name] = MappingProxyType(arrays)
    return arrays


class _Look(ABC):
    """What analyzers are shown in one task, and where their arrays go."""

    def __init__(self, store: Store, analyzers: Mapping[str, Analyzer]) -> None:
        self.store, self.analyzers = store, analyzers
        self.fresh: dict[str, Arrays] = {}
        """Artifacts computed in this very look."""
        self.watch = Watch()
        self.spoilt: list[str] = []
        """What an analyzer changed of what the next would be shown: then the next needs a look of its own."""

    @abstractmethod
    def key(self, name: str) -> ArtifactKey: ...

    @abstractmethod
    def note(self, name: str) -> RecipeNote:
        """What the recipe of the artifact stands for."""

    def keep_failure(self, name: str, reason: str) -> None:
        """Keep the reason where a reader of the artifact will look for it, if the disk takes it."""
        with suppress(OSError):
            self.store.save_failure(self.key(name), reason)

    @abstractmethod
    def missing(self, name: str) -> str:
        """Why the analyzer cannot be tried, because of what it reads; "" if it can."""

    @abstractmethod
    def refused(self, name: str) -> str | None:
        """Why the analyzer does not apply, because of what it reads; None if all of that does."""

    @abstractmethod
    def show(self, name: str) -> Moment | Trajectory | Cohort: ...


def _look(workspace: Workspace, task: Task) -> _Look:
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
class _AtStep(_Look):
    def __init__(self, store: Store, setting: Setting, task: Task) -> None:
        super().__init__(store, setting.analyzers)
        assert task.step is not None
        self._setting = setting
        looking = [setting.analyzers[name] for name in task.analyzers]
        roles = setting.subject.model.roles
        # A look at sites or at the loss needs all the weights, a look at artifacts none.
        takes_loss = any(a.gradients or a.objective for a in looking)
        all_of_them = takes_loss or any(a.sites for a in looking)
        patterns = ["*"] if all_of_them else [p for a in looking for p in a.weights]
        self._checkpoint = store.load_checkpoint(setting.variant.name, task.step, matching(patterns, roles))
        self._unfinite = not_finite(self._checkpoint.weights)
        if self._unfinite:
            # Of a file that was put there by hand: later looks leave the step out.
            with suppress(OSError):
                store.note_unfinite(setting.variant.name, task.step, self._unfinite)
        trained = setting.subject.task if takes_loss else None
        wants_state = any(a.optimizer for a in looking) or (trained is not None and trained.callbacks is not None)
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
        for upstream in self.analyzers[name].reads:
            if upstream not in self.fresh and not self.store.has(self.key(upstream)):
                return f"It reads {upstream!r}, which is not there at step {self._checkpoint.step}."
        if self.analyzers[name].optimizer and self._seen.state is None:
            return f"No optimizer state was kept at step {self._checkpoint.step}; train with save_optimizer=true."
        return ""

    def refused(self, name: str) -> str | None:
        analyzer = self.analyzers[name]
        sees = analyzer.weights or analyzer.sites or analyzer.gradients or analyzer.runs or analyzer.objective
        if self._unfinite and sees:
            return f"at step {self._checkpoint.step}, {self._unfinite}"
        found = ((upstream, self.store.refusal(self.key(upstream))) for upstream in self.analyzers[name].reads)
        return next((because_of(upstream, reason) for upstream, reason in found if reason is not None), None)

    def show(self, name: str) -> Moment:
        artifacts = {upstream: self._artifact(upstream) for upstream in self.analyzers[name].reads}
        return moment_of(self._setting, name, seen=self._seen, artifacts=artifacts)

    def _artifact(self, upstream: str) -> Arrays:
        if upstream not in self.fresh:
            self.fresh[upstream] = self.store.load_arrays(self.key(upstream))
        return self.fresh[upstream]


@final
class _OverTraining(_Look):
    def __init__(self, store: Store, setting: Setting) -> None:
        super().__init__(store, setting.analyzers)
        self._setting = setting

    def key(self, name: str) -> ArtifactKey:
        return self._setting.key(name)

    def note(self, name: str) -> RecipeNote:
        return note_of(self._setting, name)

    def missing(self, name: str) -> str:
        return missing_reads(self._setting, name, self.store)

    def refused(self, name: str) -> str | None:
        return refused_reads(self._setting, name, self.store)

    def show(self, name: str) -> Trajectory:
        return trajectory_of(self._setting, name, self.store)


@final
class _AcrossVariants(_Look):
    def __init__(self, store: Store, settings: Sequence[Setting]) -> None:
        super().__init__(store, settings[0].analyzers)
        self._settings = settings

    def key(self, name: str) -> ArtifactKey:
        return cohort_key(self._settings, name)

    def note(self, name: str) -> RecipeNote:
        return replace(note_of(self._settings[0], name), steps=None)

    def missing(self, name: str) -> str:
        return next(filter(None, (missing_reads(s, name, self.store) for s in self._settings)), "")

    def refused(self, name: str) -> str | None:
        return next(filter(None, (refused_reads(s, name, self.store) for s in self._settings)), None)

    def show(self, name: str) -> Cohort:
        members = tuple(trajectory_of(setting, name, self.store) for setting in self._settings)
        return Cohort(members=members, options=self._settings[0].options_of(name))
