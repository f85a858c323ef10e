"""Do one job: gather its inputs, compute its analyzers, save what they return. Runs wherever an executor puts it."""

from __future__ import annotations

import functools
import importlib
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from platform import node
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

from miscope.analysis.job import Job
from miscope.analysis.job_inputs import JobInputs, inputs_of
from miscope.analysis.returned import returned_arrays
from miscope.artifact import Arrays, scalars_of
from miscope.errors import DoesNotApply, MiscopeError, WroteIntoShown
from miscope.outcome import Outcome, State
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Portable", "attempted", "failed", "perform"]


@final
class Portable:
    """A workspace that travels as its address: pickled, it is a folder and module names; opened once a process."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __reduce__(self) -> tuple[Callable[..., Portable], tuple[str, tuple[tuple[str, str], ...]]]:
        # What has no importable module stays behind; a job that needs it says there what is missing.
        modules = tuple((p.plugin, p.module) for p in self.workspace.plugins.at_work if p.module)
        return _opened_once, (str(self.workspace.root), modules)


@functools.cache
def _opened_once(root: str, modules: tuple[tuple[str, str], ...]) -> Portable:
    from miscope.plugins.plugins import Plugins
    from miscope.workspace import open_workspace

    if not Path(root).is_dir():
        raise MiscopeError(
            f"There is no folder {root} on {node()}.",
            "A job is done on the workspace itself, in the folder that the process which sends it names.",
            "Keep the workspace on a disk that all machines see under the same path.",
        )
    plugins = Plugins.of(**{name: importlib.import_module(module) for name, module in modules})
    return Portable(open_workspace(root, plugins))


def perform(place: Portable, job: Job) -> tuple[Outcome, ...]:
    """What became of each analyzer of the job. Never raises: a failure is an outcome."""
    return attempted(lambda: inputs_of(place.workspace, job), job)


def attempted(inputs_anew: Callable[[], JobInputs], job: Job) -> tuple[Outcome, ...]:
    """What became of each analyzer of the job, shown these inputs. Never raises.

    inputs_anew: gathers the inputs, and again where an analyzer changed what the next would have been shown.
    """
    started = time.perf_counter()
    try:
        inputs = inputs_anew()
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the job's door: it becomes an outcome
        return (failed(job, job.analyzers, error, time.perf_counter() - started),)
    saved: dict[str, dict[str, float]] = {}
    others = []
    for name in job.analyzers:
        began = time.perf_counter()
        try:
            if inputs.changed:
                inputs = inputs_anew()
            if (reason := inputs.not_applicable(name)) is not None:
                raise DoesNotApply(reason, name=name, variant=job.variant)
            if reason := inputs.missing(name):
                others.append(_ended(job, (name,), State.NOT_TRIED, error=reason))
                inputs.keep_failure(name, reason)
                continue
            saved[name] = scalars_of(_compute(inputs, name))
        except DoesNotApply as error:
            others.append(_not_applicable(inputs, job, name, error.reason))
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - the job's door; none ends a program
            others.append(failed(job, (name,), error, time.perf_counter() - began))
            inputs.keep_failure(name, others[-1].error)
    if not saved:
        return tuple(others)
    seconds = time.perf_counter() - started
    return (_ended(job, saved, State.SAVED, seconds=seconds, scalars=saved, keys=inputs.keys(saved)), *others)


def _not_applicable(inputs: JobInputs, job: Job, name: str, reason: str) -> Outcome:
    """That it does not apply, once that is written down; a failure where it cannot be: it would be tried again."""
    try:
        inputs.keep_not_applicable(name, reason)
    except OSError as error:
        return failed(job, (name,), error)
    return _ended(job, (name,), State.SKIPPED, error=f"does not apply: {reason}")


def failed(job: Job, analyzers: Iterable[str], error: BaseException, seconds: float = 0.0) -> Outcome:
    """The outcome of an exception; miscope's own are explained by their text, others by a traceback."""
    if isinstance(error, MiscopeError):
        return _ended(job, analyzers, State.FAILED, seconds=seconds, error=str(error))
    trace = "".join(traceback.format_exception(error))
    return _ended(job, analyzers, State.FAILED, seconds=seconds, error=f"{type(error).__name__}: {error}", trace=trace)


def _ended(job: Job, analyzers: Iterable[str], state: State, **facts: Any) -> Outcome:
    return Outcome(variant=job.variant, analyzers=tuple(analyzers), step=job.step, state=state, **facts)


def _compute(inputs: JobInputs, name: str) -> Arrays:
    import torch

    shown = inputs.show(name)
    inputs.guard.remember(shown)
    try:
        with torch.no_grad():
            arrays = returned_arrays(name, inputs.analyzers[name].compute(shown), stacked=isinstance(shown, Snapshot))
    finally:
        # Also of one that fails: what it wrote before must not be seen by the next.
        inputs.changed = inputs.guard.changed(shown)
    if inputs.changed:
        raise WroteIntoShown(name, inputs.changed)
    inputs.keep(name, arrays)
    inputs.fresh[name] = MappingProxyType(arrays)
    return arrays
