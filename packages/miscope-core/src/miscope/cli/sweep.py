"""`miscope sweep`: the runs of a study, one after the other, or what they would be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json

if TYPE_CHECKING:
    from miscope.studies.study import Study
    from miscope.workspace import Workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `sweep`."""
    cli.command(rich_help_panel="Make")(sweep)


def sweep(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study's file, or the name of one that was run here before.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show every run with all its settings, and run none.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Only the run of this name (repeatable).")
    ] = None,
    start_from: Annotated[int, typer.Option(min=0, metavar="N", help="Leave out the first N of these runs.")] = 0,
    executor: Annotated[
        str | None, typer.Option(help="Where to run the analyses.  (default: as the study says)")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and analyze the runs of a study: finished ones are skipped, shorter ones extended, failed ones retried.

    Ends with 1 if a run failed, with 130 or 143 if it was stopped; the same command goes on from there.
    """
    from miscope.cli.sweep_plan import show_plan
    from miscope.cli.sweep_report import exit_code, report
    from miscope.interruption import stop_on_signals
    from miscope.studies.keeping import keep_study
    from miscope.studies.planning import planned
    from miscope.studies.sweeping import sweep as swept

    place = opened(workspace)
    found = _found(place, study)
    if executor is not None:
        place.plugins.executor(executor)
        found = found.with_executor(executor)
    plan = planned(place, found.chosen(only or (), start_from), first=start_from)
    if dry_run:
        show_plan(found, plan, as_json=as_json)
        return
    keep_study(place, found)
    note(f"{found.name}: {len(plan)} of {len(found.runs)} runs, in {place.root}")
    with stop_on_signals() as asked:
        ended = report(swept(place, plan, should_stop=asked), len(plan))
    if as_json:
        print_json([each.as_row() for each in ended])
    code = exit_code(ended, len(plan), asked)
    if code:
        raise typer.Exit(code)


def _found(place: Workspace, study: str) -> Study:
    """The study of that file; or of that name, as the workspace has it."""
    from miscope.studies.resolving import read_study

    kept = place.store.layout.study(study) if "/" not in study and not Path(study).exists() else None
    return read_study(place, kept if kept is not None and kept.exists() else Path(study))
