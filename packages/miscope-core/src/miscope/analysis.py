"""Look at checkpoints through instruments: what is missing is computed, saved and told, one outcome at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, final

from miscope.analyzer import Analyzer, Grain
from miscope.analyzer_options import Options, options_asked
from miscope.applicability import chain_applies
from miscope.artifact import as_written
from miscope.chosen_steps import chosen_steps, steps_to_look_at
from miscope.commands import in_workspace
from miscope.errors import DoesNotApply, MiscopeError, UnknownName
from miscope.interruption import stop_on_signals
from miscope.looking import Portable, Task, failed, perform
from miscope.origin import lacks_weights
from miscope.outcome import Outcome, State, left_out
from miscope.planning import Wave, plan, resolve
from miscope.seeing import Setting, beside, cohort_key, in_order, incomparable, set_up
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.executor import Executor
    from miscope.ledger import RunLog
    from miscope.workspace import BoundVariant, Workspace

__all__ = ["analyze"]

Steps = Sequence[int]


def analyze(  # noqa: PLR0913 - the whole of a user's choice, all keyword-only
    workspace: Workspace,
    variants: Variant | BoundVariant | Sequence[Variant | BoundVariant],
    names: Sequence[str] | None = None,
    *,
    steps: Steps | str | None = None,
    executor: str | Executor = "inline",
    force: bool = False,
    options: Options | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Outcome]:
    """Compute what is missing of the named analyzers and of what they read; yield outcomes.

    names: None for all that apply and are not `heavy`. steps: the checkpoints to look at, or a
    schedule of them ('every:1000'; None: all); trajectory grain
    spans exactly these, and they are part of its recipe. options: values by analyzer name. force: compute the named
    ones again though they exist. should_stop: asked before each look, as are Ctrl-C, SIGTERM and the run's own stop
    request; what is under way is finished and saved. A look that fails is an outcome, and the rest goes on; so is
    a named analyzer that does not apply. Raises, before anything is computed, UnknownName, NoCheckpoint, DoesNotApply
    (where none of the named ones applies to any variant) or BadValue (options, circles).
    """
    several = [variants] if not isinstance(variants, Sequence) else variants
    values = [each if isinstance(each, Variant) else each.value for each in several]
    place = workspace.plugins.executor(executor) if isinstance(executor, str) else executor
    chosen = options_asked(workspace.plugins.analyzers, names, options or {})
    if isinstance(steps, str):
        steps = chosen_steps(steps, [workspace.store.steps(value.name) for value in values])
    wish = _Wish(names=names, steps=steps, force=force, options=chosen)
    courses = [_course(workspace, value, wish) for value in values]
    together, apart = _across(workspace, courses, wish)
    refused = [error for course in courses for error in course.refused] + apart
    if refused and not {name for c in courses for name in c.wanted} - {error.name for error in apart}:
        raise refused[0]
    return _run(workspace, place, _Work(courses, together, apart), should_stop or (lambda: False))


@final
@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What is asked of every variant, as `analyze` was given it."""

    names: Sequence[str] | None
    steps: Steps | None
    force: bool
    options: Options


@final
@dataclass(frozen=True, kw_only=True)
class _Course:
    """What one variant has, lacks and can do without."""

    setting: Setting
    waves: Sequence[Wave]
    whole: tuple[str, ...]
    """Wanted analyzers whose artifacts are all there."""
    wanted: Sequence[str]
    """Those to compute, of cohort grain too, without what they read."""
    unfinite: Sequence[int]
    """Steps asked for that no instrument looks at, since weights there are no numbers."""
    skipped: Mapping[str, str]
    """Analyzers that do not apply or take too long to be computed unasked, with the reason."""
    refused: Sequence[DoesNotApply]
    """Of those asked for by name, the ones that do not apply."""

    @property
    def name(self) -> str:
        return self.setting.variant.name

    def tasks(self, wave: Wave) -> Iterator[Task]:
        for look in wave.looks:
            yield Task(
                variant=self.name,
                step=look.step,
                analyzers=look.analyzers,
                steps=self.setting.steps,
                options=self.setting.options,
            )


@final
@dataclass(frozen=True)
class _Work:
    """All there is to do, and what cannot be done across the variants."""

    courses: Sequence[_Course]
    together: Sequence[Task]
    apart: Sequence[DoesNotApply]


def _course(workspace: Workspace, variant: Variant, wish: _Wish) -> _Course:
    store = workspace.store
    store.refuse_another(variant)
    have = store.steps(variant.name)
    curves_only = not have and wish.steps is None and bool(store.metrics(variant.name))
    asked = () if curves_only else steps_to_look_at(store, variant.name, wish.steps)
    finite = set(store.finite_steps(variant.name))
    chosen = tuple(step for step in asked if step in finite)
    wanted, skipped = _wanted(workspace, variant, wish.names)
    refused = [DoesNotApply(name, variant.name, skipped[name]) for name in wish.names or () if name in skipped]
    skipped = {**skipped, **{error.name: f"does not apply: {error.reason}" for error in refused}}
    setting = set_up(workspace, variant, wanted, steps=chosen, options=wish.options)
    mine = {name: a for name, a in setting.analyzers.items() if a.grain is not Grain.COHORT}
    present = {name: _present(workspace, setting, name) for name in mine}
    whole = tuple(name for name in mine if name in wanted and len(present[name]) == _span(mine[name], chosen))
    if wish.force:
        present = {name: () if name in wanted else steps for name, steps in present.items()}
    # What a cohort analyzer reads is wanted of every member.
    read = {upstream for name in set(wanted) - set(mine) for upstream in setting.analyzers[name].reads}
    waves = plan(mine, steps=chosen, wanted={*wanted, *read} & set(mine), present=present)
    return _Course(
        setting=setting,
        waves=waves,
        whole=() if wish.force else whole,
        wanted=wanted,
        unfinite=[step for step in asked if step not in finite],
        skipped=skipped,
        refused=refused,
    )


def _wanted(workspace: Workspace, variant: Variant, names: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """The analyzers to compute, and those left out with the reason; of named ones, with the bare clause."""
    table, subject = workspace.plugins.analyzers, workspace.subject(variant)
    metrics, lacking = workspace.store.metrics(variant.name), lacks_weights(workspace.store, variant.name)

    def reason(name: str) -> str | None:
        return chain_applies(resolve(table, [name]), subject, metrics, lacking=lacking)

    if names is not None:
        refused = {name: why for name in names if (why := reason(name))}
        return [name for name in dict.fromkeys(names) if name not in refused], refused
    skipped = {}
    for name in table:
        try:
            why = reason(name)
            heavy = any(analyzer.heavy for analyzer in resolve(table, [name]).values())
        except UnknownName as error:
            why, heavy = f"it reads {error.name!r}, which is not installed", False
        if why or heavy:
            skipped[name] = f"does not apply: {why}" if why else "takes long, and is computed when asked for by name"
    return [name for name in table if name not in skipped], skipped


def _present(workspace: Workspace, setting: Setting, name: str) -> Collection[int | None]:
    key = setting.key(name)
    if setting.analyzers[name].grain is Grain.CHECKPOINT:
        there = workspace.store.artifact_steps(key.variant, name, key.recipe)
        refused = workspace.store.refused_steps(key.variant, name, key.recipe)
        return {*there, *refused} & set(setting.steps)
    return {None} if workspace.store.settled(key) else set()


def _span(analyzer: Analyzer, steps: Steps) -> int:
    return len(steps) if analyzer.grain is Grain.CHECKPOINT else 1


def _across(workspace: Workspace, courses: Sequence[_Course], wish: _Wish) -> tuple[list[Task], list[DoesNotApply]]:
    """The looks over all variants together: of cohort analyzers that apply to every one and compare what is alike.

    Beside them those asked for by name that cannot compare these variants.
    """
    settings = in_order([course.setting for course in courses])
    shared = set.intersection(*(set(setting.analyzers) for setting in settings))
    members = tuple((setting.variant.name, setting.steps) for setting in settings)
    tasks, apart = [], []
    for name, analyzer in settings[0].analyzers.items():
        if analyzer.grain is not Grain.COHORT or name not in shared:
            continue
        reason = incomparable(settings, name)
        if reason is not None and name in (wish.names or ()):
            together = ", ".join(setting.variant.name for setting in settings)
            cure = beside(settings, in_workspace(workspace.root, f"miscope analyze {together} OTHER --only {name}"))
            apart.append(DoesNotApply(name, together, reason, cure=cure))
        if reason is not None:
            continue
        key = cohort_key(settings, name)
        if wish.force or not workspace.store.settled(key):
            tasks.append(
                Task(
                    variant=key.variant,
                    step=None,
                    analyzers=(name,),
                    steps=(),
                    options=wish.options,
                    members=members,
                )
            )
    return tasks, apart


def _run(workspace: Workspace, executor: Executor, work: _Work, should_stop: Callable[[], bool]) -> Iterator[Outcome]:
    courses, together = work.courses, work.together
    total = sum(len(wave.looks) for course in courses for wave in course.waves) + len(together)
    for outcome in _without_a_look(workspace, work):
        yield replace(outcome, total=total)
    with ExitStack() as open_logs:
        interrupted = open_logs.enter_context(stop_on_signals())
        logs: dict[str, RunLog] = {}
        for name in [c.name for c in courses if c.waves] + [task.variant for task in together[:1]]:
            logs[name] = open_logs.enter_context(workspace.ledger.run("analyze", name))

        def stopped() -> bool:
            return interrupted() or should_stop() or any(log.stop_requested() for log in logs.values())

        done = 0
        rounds = zip_longest(*(course.waves for course in courses))
        by_round = (chain(*(c.tasks(w) for c, w in zip(courses, waves, strict=True) if w)) for waves in rounds)
        for tasks in chain(by_round, ([task] for task in together)):
            look = partial(perform, Portable(workspace))
            for outcomes in executor.run(look, _until(stopped, tasks), lost=_lost):
                done += 1
                for outcome in outcomes:
                    _tell(logs[outcome.variant], outcome)
                    yield replace(outcome, done=done, total=total)
        if done < total and stopped():
            for log in logs.values():
                log.write("stopped", reason="stop requested", done=done, total=total)


def _without_a_look(workspace: Workspace, work: _Work) -> Iterator[Outcome]:
    """What can be said at once. Leftovers of killed runs are swept, where nothing is left to do, too."""
    for name in [*(course.name for course in work.courses), *(task.variant for task in work.together[:1])]:
        workspace.store.sweep(name)
    skipped = [(course.name, name, reason) for course in work.courses for name, reason in course.skipped.items()]
    skipped += [(error.subject, error.name, f"does not apply: {error.reason}") for error in work.apart]
    for course in work.courses:
        for step in course.unfinite:
            yield left_out(course.name, step, workspace.store.unfinite(course.name, step))
        if course.whole:
            yield Outcome(variant=course.name, analyzers=course.whole, step=None, state=State.PRESENT)
    for variant, name, reason in skipped:
        yield Outcome(variant=variant, analyzers=(name,), step=None, state=State.SKIPPED, error=reason)


def _until(stopped: Callable[[], bool], tasks: Iterable[Task]) -> Iterator[Task]:
    for task in tasks:
        if stopped():
            return
        yield task


def _lost(task: Task, reason: str) -> tuple[Outcome, ...]:
    step = "the whole of training" if task.step is None else f"step {task.step}"
    error = MiscopeError(
        f"The process that looked at {step} of {task.variant} died.",
        reason,
        "What it had saved is kept. `--executor inline` shows what happens.",
    )
    return (failed(task, task.analyzers, error),)


def _tell(log: RunLog, outcome: Outcome) -> None:
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
