"""One task: take a look, save what the instruments make of it. Runs wherever an executor puts it."""

from __future__ import annotations

import functools
import importlib
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from miscope.artifact import Arrays, scalars_of
from miscope.errors import DoesNotApply, MiscopeError, WroteIntoShown
from miscope.looks import Look, look_for
from miscope.moment import Moment
from miscope.outcome import Outcome, State
from miscope.returned import returned_arrays

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Portable", "Task", "attempted", "failed", "perform"]


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
    return attempted(lambda: look_for(place.workspace, task), task)


def attempted(look_anew: Callable[[], Look], task: Task) -> tuple[Outcome, ...]:
    """What became of each analyzer of the task, shown what a look shows. Never raises.

    look_anew: takes the look, and another where an analyzer changed what the next would have been shown.
    """
    started = time.perf_counter()
    try:
        look = look_anew()
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the task door: whatever goes wrong becomes an outcome
        return (failed(task, task.analyzers, error, time.perf_counter() - started),)
    saved: dict[str, dict[str, float]] = {}
    others = []
    for name in task.analyzers:
        began = time.perf_counter()
        try:
            if look.spoilt:
                look = look_anew()
            if (reason := look.refused(name)) is not None:
                raise DoesNotApply(reason, name=name, subject=task.variant)
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
    seconds = time.perf_counter() - started
    return (_ended(task, saved, State.SAVED, seconds=seconds, scalars=saved, keys=look.keys(saved)), *others)


def _refused(look: Look, task: Task, name: str, reason: str) -> Outcome:
    """The refusal as an outcome, once it is written down; a failure where it cannot be: it would be tried again."""
    try:
        look.keep_refusal(name, reason)
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


def _take(look: Look, name: str) -> Arrays:
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
    look.keep(name, arrays)
    look.fresh[name] = MappingProxyType(arrays)
    return arrays
