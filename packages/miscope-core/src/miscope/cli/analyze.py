"""`miscope analyze`: compute the instruments at the checkpoints of variants."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, final

import typer

from miscope.cli.executing import ExecutorOption, JobsOption, ResourceOption, SchedulerOption, executor_of
from miscope.cli.options import WorkspaceOption, assignments, opened
from miscope.cli.printing import note
from miscope.cli.queueing import (
    AfterOption,
    PriorityOption,
    QueueJsonOption,
    QueueOption,
    enqueue,
    only_with_queue,
    only_without_queue,
)
from miscope.pace import Pace

if TYPE_CHECKING:
    from miscope.outcome import Outcome

__all__ = ["add_to", "report"]


def add_to(cli: typer.Typer) -> None:
    """The command `analyze`."""
    cli.command(rich_help_panel="Make")(analyze)


def analyze(
    target: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANT...|FAMILY [KEY=VALUE]...",
            help="Variants, or all of a family, or those of it with these parameters.",
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this analyzer, or these: A,B (repeatable)."),
    ] = None,
    steps: Annotated[
        str | None, typer.Option(help="Only these checkpoints: '0,100,500', 'every:1000', '0-500:100'.  (default: all)")
    ] = None,
    executor: ExecutorOption = "inline",
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    resource: ResourceOption = None,
    force: Annotated[bool, typer.Option("--force", help="Compute anew what is there.")] = False,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="ANALYZER.OPTION=VALUE", help="An analyzer's option.")
    ] = None,
    queued: QueueOption = False,
    priority: PriorityOption = 0,
    after: AfterOption = None,
    workspace: WorkspaceOption = None,
    as_json: QueueJsonOption = False,
) -> None:
    """Compute what is not there yet; ends with 1 if an instrument failed, with 130 or 143 if it was stopped."""
    from miscope.analysis.analyzer_options import options_apart, options_asked, split_options
    from miscope.analyze_request import AnalyzeRequest
    from miscope.cli.targets import variants_meant
    from miscope.interruption import stop_on_signals
    from miscope.running import run

    place = opened(workspace)
    only_with_queue(queued, priority=priority, after=after, json=as_json)
    only_without_queue(place, queued, jobs=jobs, scheduler=scheduler, resource=resource)
    variants = variants_meant(place, target)
    where = executor_of(place, executor, jobs=jobs, scheduler=scheduler, resources=resource or ())
    table, names = place.plugins.analyzers, _named(only)
    chosen = options_asked(table, names, split_options(table, assignments(option or ())))
    request = AnalyzeRequest(
        variants=tuple(variant.name for variant in variants),
        analyzers=names,
        steps=steps,
        executor=where.name,
        force=force,
        options=options_apart(table, list(chosen), chosen),
    )
    if queued:
        enqueue(place, [request], priority=priority, after=after or (), as_json=as_json)
        return
    remaining = _Remaining()
    with stop_on_signals() as asked:
        fine = report(remaining.of(run(place, request, should_stop=asked, executor=where)))
    if remaining.left or (asked() and not remaining.seen):
        note("Stopped; what was computed is kept, and the same command goes on from here.")
        raise typer.Exit(asked.exit_code)
    if not fine:
        raise typer.Exit(1)


def _named(only: list[str] | None) -> tuple[str, ...] | None:
    """The analyzers that were named, one at a time or with commas between them; None for all."""
    names = tuple(name.strip() for given in only or () for name in given.split(",") if name.strip())
    return names or None


@final
class _Remaining:
    """How far an analysis came, by the outcomes that went by."""

    def __init__(self) -> None:
        self.seen, self.left = False, 0
        """left: jobs that were planned and not done."""

    def of(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            self.seen, self.left = True, outcome.total - outcome.done
            yield outcome


_FEW = 8
"""Names that a reader will go through; `miscope analyzers --for VARIANT` has them all."""


def report(outcomes: Iterable[Outcome]) -> bool:
    """Print what happens as it happens; whether nothing failed."""
    from miscope.outcome import State

    counts: dict[State, int] = dict.fromkeys(State, 0)
    failures: dict[tuple[str, str], Outcome] = {}
    skipped: dict[str, dict[str, None]] = {}
    for outcome in _with_bar(outcomes):
        counts[outcome.state] += len(outcome.analyzers)
        if outcome.state is State.SKIPPED:
            # What does not apply at one checkpoint applies at none of them, in the same words.
            reason = " ".join(outcome.error.splitlines()[:1])
            skipped.setdefault(reason, {}).update(dict.fromkeys(outcome.analyzers))
        if outcome.state is State.FAILED:
            # The first of each kind in full: one mistake in an instrument fails at every checkpoint.
            key = (outcome.analyzers[0], outcome.error)
            if key not in failures:
                failures[key] = outcome
    for reason, names in skipped.items():
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        note(f"skipped  {', '.join([*names][:_FEW])}{more}: {reason}" if names else f"left out  {reason}")
    print(", ".join(f"{count} {state.value}" for state, count in counts.items() if count) or "Nothing to do.")
    for outcome in failures.values():
        at = "" if outcome.step is None else f" at step {outcome.step}"
        note(f"\n{', '.join(outcome.analyzers)} failed for {outcome.variant}{at}:\n{outcome.error}")
        if outcome.trace:
            note(outcome.trace.rstrip())
    return not failures


def _with_bar(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    if not sys.stderr.isatty():
        yield from _with_lines(outcomes)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from miscope.cli.time_left import TimeLeft

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeLeft(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("analyzing", total=None)
        at: set[int] = set()
        for outcome in outcomes:
            line = _done(outcome, at)
            bar.update(task, completed=outcome.done, total=outcome.total or None, description=line)
            yield outcome


def _with_lines(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """A line for every tenth of the work: a log can be read later, and is not flooded."""
    tenths, pace = 0, Pace()
    at: set[int] = set()
    for outcome in outcomes:
        yield outcome
        line = _done(outcome, at)
        pace.note(outcome.done)
        if outcome.total and outcome.done * 10 // outcome.total > tenths:
            tenths = outcome.done * 10 // outcome.total
            left = pace.left(outcome.total)
            note(line + (f", {left:.0f} s left" if left is not None and left >= 1 else ""))


def _done(outcome: Outcome, at: set[int]) -> str:
    """'12 of 40 checkpoints, 0 of 3 over training'; at: numbers of the jobs done at checkpoints, to be added to."""
    if outcome.step is not None and outcome.done:
        at.add(outcome.done)
    spanning = outcome.total - outcome.checkpoints
    parts = ((len(at), outcome.checkpoints, "checkpoints"), (outcome.done - len(at), spanning, "over training"))
    return ", ".join(f"{done} of {total} {what}" for done, total, what in parts if total)
