"""Compute instruments at checkpoints: what is missing is computed, saved and reported, one outcome at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from miscope.analysis.analyzer_options import Options, options_apart, options_asked
from miscope.analysis.chosen_steps import chosen_steps
from miscope.analysis.job import Job
from miscope.analysis.outstanding import Outstanding, ResolvedRequest, outstanding
from miscope.analysis.perform import Portable, failed, perform
from miscope.analyze_request import AnalyzeRequest
from miscope.artifact import as_written
from miscope.errors import MiscopeError
from miscope.interruption import stop_on_signals
from miscope.outcome import Outcome, State, left_out
from miscope.variant import Variant
from miscope.workspace import Workspace, plain_variants

if TYPE_CHECKING:
    from miscope.executor import Executor
    from miscope.store.ledger import RunLog

__all__ = ["analyze", "outstanding_of"]


def analyze(  # noqa: PLR0913 - the whole of a user's choice, all keyword-only
    workspace: Workspace,
    variants: Variant | Sequence[Variant],
    names: Sequence[str] | None = None,
    *,
    steps: Sequence[int] | str | None = None,
    executor: str | Executor = "inline",
    force: bool = False,
    options: Options | None = None,
    group: str | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Outcome]:
    """Compute what is missing of the named analyzers and of what they read; yield outcomes.

    names: None for all that apply and are not `opt_in`. steps: the checkpoints to analyze, or a schedule of them
    ('every:1000'; None: all); trajectory grain spans exactly these, and they are part of its recipe. options: values
    by analyzer name. force: compute the named ones again though they exist. group: the study that this is a run of.
    should_stop: asked before each job, as are Ctrl-C, SIGTERM and the run's own stop request; what is under way is
    finished and saved. A job that fails is an outcome, and the rest goes on; so is a named analyzer that does not
    apply. Raises, before anything is computed, UnknownName, NoCheckpoint, DoesNotApply (where none of the named ones
    applies to any variant) or BadValue (options, circles).
    """
    values = plain_variants(workspace, variants)
    place = workspace.plugins.executor(executor) if isinstance(executor, str) else executor
    table = workspace.plugins.analyzers
    chosen = options_asked(table, names, options or {})
    exact = _exact(workspace, values, steps)
    work = outstanding(workspace, values, ResolvedRequest(names=names, steps=exact, force=force, options=chosen))
    request = AnalyzeRequest(
        variants=tuple(value.name for value in values),
        analyzers=None if names is None else tuple(names),
        steps=steps if steps is None or isinstance(steps, str) else tuple(map(int, steps)),
        executor=place.name,
        force=force,
        options=options_apart(table, list(chosen), chosen),
        group=group,
    )
    for value in values:
        workspace.keep_record(value)
    return _run(workspace, place, work, request, should_stop or (lambda: False))


def outstanding_of(workspace: Workspace, request: AnalyzeRequest) -> Outstanding:
    """What the analysis asked for has still to do; nothing is computed. Raises as `analyze` does."""
    values = [workspace.find(name) for name in request.variants]
    chosen = options_asked(workspace.plugins.analyzers, request.analyzers, request.options)
    exact = _exact(workspace, values, request.steps)
    asked = ResolvedRequest(names=request.analyzers, steps=exact, force=request.force, options=chosen)
    return outstanding(workspace, values, asked)


def _exact(
    workspace: Workspace, variants: Sequence[Variant], steps: Sequence[int] | str | None
) -> Sequence[int] | None:
    """The steps that a schedule chooses of those there are; others as they are."""
    if not isinstance(steps, str):
        return steps
    return chosen_steps(steps, [workspace.store.steps(variant.name) for variant in variants])


def _run(
    workspace: Workspace, place: Executor, work: Outstanding, request: AnalyzeRequest, should_stop: Callable[[], bool]
) -> Iterator[Outcome]:
    planned = partial(replace, total=work.total, checkpoints=work.checkpoints)
    _sweep(workspace, work)
    with ExitStack() as opened:
        logs = {name: opened.enter_context(_log(workspace, name, request)) for name in work.busy}
        for outcome in _known_beforehand(workspace, work):
            yield planned(outcome, run=logs[outcome.variant].name if outcome.variant in logs else "")
        if not logs:
            return
        interrupted = opened.enter_context(stop_on_signals())
        executor = opened.enter_context(place.open())

        def stopped() -> bool:
            return interrupted() or should_stop() or any(log.stop_requested() for log in logs.values())

        done = 0
        for jobs in work.rounds():
            perform_here = partial(perform, Portable(workspace))
            for outcomes in executor.run(perform_here, _until(stopped, jobs), lost=_lost):
                done += 1
                for outcome in outcomes:
                    log = logs[outcome.variant]
                    _write(log, outcome)
                    yield planned(outcome, done=done, run=log.name)
        if done < work.total and stopped():
            for log in logs.values():
                log.write("stopped", reason="stop requested", done=done, total=work.total)


def _log(workspace: Workspace, name: str, request: AnalyzeRequest) -> AbstractContextManager[RunLog]:
    """The run of one variant, begun with what is asked of that one; the run of a cohort with the whole request."""
    own = request.model_copy(update={"variants": (name,)}) if name in request.variants else request
    return workspace.ledger.run("analyze", name, request=own.model_dump(mode="json"))


def _sweep(workspace: Workspace, work: Outstanding) -> None:
    """Remove what killed runs left, where nothing is left to do, too."""
    for name in [*(one.name for one in work.by_variant), *(job.variant for job in work.together[:1])]:
        workspace.store.sweep(name)


def _known_beforehand(workspace: Workspace, work: Outstanding) -> Iterator[Outcome]:
    """What is known before anything is computed."""
    skipped = [(one.name, name, reason) for one in work.by_variant for name, reason in one.skipped.items()]
    skipped += [(error.variant, error.name, f"does not apply: {error.reason}") for error in work.apart]
    for one in work.by_variant:
        for step in one.unfinite:
            yield left_out(one.name, step, workspace.store.unfinite(one.name, step))
        if one.whole:
            yield Outcome(variant=one.name, analyzers=one.whole, step=None, state=State.PRESENT)
    for variant, name, reason in skipped:
        yield Outcome(variant=variant, analyzers=(name,), step=None, state=State.SKIPPED, error=reason)


def _until(stopped: Callable[[], bool], jobs: Iterable[Job]) -> Iterator[Job]:
    for job in jobs:
        if stopped():
            return
        yield job


def _lost(job: Job, reason: str) -> tuple[Outcome, ...]:
    step = "the whole of training" if job.step is None else f"step {job.step}"
    error = MiscopeError(
        f"The process that analyzed {step} of {job.variant} died.",
        reason,
        "What it had saved is kept. `--executor inline` shows what happens.",
    )
    return (failed(job, job.analyzers, error),)


def _write(log: RunLog, outcome: Outcome) -> None:
    """One ledger line an artifact, and one for each failure."""
    for name, scalars in outcome.scalars.items():
        key = outcome.keys[name]
        log.write(
            "artifact", analyzer=name, recipe=key.recipe, probe=key.probe, step=key.step, scalars=as_written(scalars)
        )
    if outcome.state in (State.FAILED, State.NOT_TRIED):
        names = list(outcome.analyzers)
        log.write(
            "failure", analyzers=names, step=outcome.step, state=outcome.state, error=outcome.error, trace=outcome.trace
        )
