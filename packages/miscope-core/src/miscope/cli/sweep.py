"""`miscope sweep`: the runs of a study, one after the other, or what they would be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.estimating import patient
from miscope.cli.executing import ExecutorOption, JobsOption, ResourceOption, SchedulerOption, executor_of
from miscope.cli.options import JsonOption, WorkspaceOption, assignments, not_empty, opened
from miscope.cli.printing import note, print_json
from miscope.cli.queueing import PriorityOption, QueueOption, enqueue_chains, only_with_queue, only_without_queue
from miscope.commands import in_workspace
from miscope.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from miscope.executor import Executor
    from miscope.studies.document import Document
    from miscope.studies.planning import PlannedRun
    from miscope.studies.template import Template
    from miscope.workspace import Workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `sweep`."""
    cli.command(rich_help_panel="Make")(sweep)


def sweep(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study's file, a template, or the name of one that was run before.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show every run with all its settings, and run none.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Only the run of this name (repeatable).")
    ] = None,
    start_from: Annotated[int, typer.Option(min=0, metavar="N", help="Leave out the first N of these runs.")] = 0,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", parser=not_empty, help="Call it so.  (default: as it says, or as its file is called)"
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A field of all its runs: what a template leaves open."),
    ] = None,
    executor: ExecutorOption = "inline",
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    resource: ResourceOption = None,
    retries: Annotated[int, typer.Option(min=0, metavar="N", help="Try a run that failed again so often.")] = 0,
    queued: QueueOption = False,
    priority: PriorityOption = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and analyze the runs of a study: finished ones are skipped, shorter ones extended, failed ones retried.

    Ends with 1 if a run failed, with 130 or 143 if it was stopped; the same command goes on from there.
    """
    from miscope.cli.sweep_plan import note_trained_otherwise, show_plan
    from miscope.studies.planning import planned
    from miscope.studies.portable import with_fields
    from miscope.studies.resolving import resolved
    from miscope.studies.runnable import check_runnable
    from miscope.studies.starting import note_start
    from miscope.studies.study_estimate import study_estimate

    place = opened(workspace)
    only_with_queue(queued, priority=priority)
    template = _template(place, study)
    document = with_fields(_document(place, study, template, name), assignments(setting or ()))
    found = resolved(place, document)
    elsewhere = {
        "executor": executor != "inline",
        "jobs": jobs,
        "scheduler": scheduler,
        "resource": resource,
        "retries": retries,
    }
    only_without_queue(place, queued, **elsewhere)
    where = executor_of(place, executor, jobs=jobs, scheduler=scheduler, resources=resource or ())
    plan = planned(place, found.chosen(only or (), start_from), first=start_from)
    if dry_run:
        show_plan(found, plan, study_estimate(place, plan, patient()), as_json=as_json)
    if where.runs_here:
        check_runnable(place, document, plan)
    if dry_run:
        return
    note_trained_otherwise(plan)
    if queued:
        enqueue_chains(place, [each.requests for each in plan], priority=priority, after=(), as_json=as_json)
        note_start(place, found, plan, template)
        return
    note_start(place, found, plan, template)
    note(f"{found.name}: {len(plan)} of {len(found.runs)} runs, in {place.root}")
    _make(place, where, plan, retries=retries, as_json=as_json)


def _make(place: Workspace, where: Executor, plan: Sequence[PlannedRun], *, retries: int, as_json: bool) -> None:
    """Do what the plan says there, print what becomes of it, and end with the code that says it."""
    from miscope.cli.sweep_report import exit_code, report, row
    from miscope.interruption import stop_on_signals
    from miscope.studies.sweeping import sweep, sweep_on

    with stop_on_signals() as asked:
        made = sweep if where.name == "inline" else partial(sweep_on, where)
        ended = report(made(place, plan, should_stop=asked, retries=retries), len(plan), retries)
    if as_json:
        print_json([row(each) for each in ended])
    code = exit_code(ended, len(plan), asked)
    if code:
        raise typer.Exit(code)


def _template(place: Workspace, study: str) -> Template | None:
    """The template of that name, unless there is a file that is called so."""
    from miscope.studies.templates import Templates

    return None if Path(study).exists() else Templates(place).named(study)


def _document(place: Workspace, study: str, template: Template | None, name: str | None) -> Document:
    """What says the study: the template, that file, or what was kept here of the one that was run under that name."""
    from miscope.studies.extending import read_study_file

    if template is not None:
        return template.study.with_values(name=name or template.id, description=None)
    document = read_study_file(_file(place, study))
    return document.with_values(name=name) if name else document


def _file(place: Workspace, study: str) -> Path:
    """Where the study stands. UnknownName for what is the name of none, and is written like no file's."""
    from miscope.studies.templates import Templates

    path = Path(study)
    if path.exists() or "/" in study or path.suffix in (".yaml", ".yml"):
        return path
    kept = {each.stem: each for each in place.store.layout.studies.glob("*.yaml")}
    if study in kept:
        return kept[study]
    known = [*kept, *(one.facts.name for one in Templates(place).all())]
    listing = f"The templates:  {in_workspace(place.root, 'miscope templates')}"
    raise UnknownName("file, template or study run before", study, known, listing=listing)
