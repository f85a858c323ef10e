"""`miscope runs`: what was asked for, how far it is, and who works through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from miscope.cli import runs_asking, runs_following
from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json, print_table
from miscope.cli.queueing import GroupOption
from miscope.cli.watched_queue import queue_of
from miscope.commands import in_workspace

__all__ = ["add_to"]

RunOption = Annotated[int, typer.Argument(metavar="RUN", help="Its number; `miscope runs list` has them.")]
StateOption = Annotated[
    list[str] | None, typer.Option("--state", help="Only those in this state (repeatable): pending, running, failed...")
]


def add_to(cli: typer.Typer) -> None:
    """The commands `runs ...`."""
    group = typer.Typer(
        rich_markup_mode=None,
        no_args_is_help=True,
        help="Trainings and analyses in the queue: list, follow, stop, resume, retry; `serve` works through them.",
    )
    group.command("list")(list_runs)
    group.command()(show)
    runs_following.add_to(group)
    runs_asking.add_to(group)
    group.command()(serve)
    group.command()(rebuild)
    cli.add_typer(group, name="runs", rich_help_panel="Make")


def list_runs(
    state: StateOption = None,
    group: GroupOption = None,
    search: Annotated[
        str,
        typer.Option(
            "--search",
            "-q",
            metavar="WORDS",
            help="Only those with this in what they are of, in their study, name, notes or tags.",
            show_default=False,
        ),
    ] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs, the latest last: their state, how far they are and the time left."""
    from miscope.cli.runs_table import HEADER, chosen_states, table_row

    queue = queue_of(opened(workspace))
    among = queue.runs(chosen_states(state), group=group, deleted=deleted)
    runs = [run for run in among if run.has_words(search)]
    if as_json:
        print_json([run.facts() for run in runs])
        return
    if not runs:
        line = in_workspace(queue.layout.root, "miscope train FAMILY --queue")
        print(f"There are no such runs in {queue.layout.root}.  To ask for one:  {line}")
        return
    states = {run.id: run.state for run in queue.runs()}
    print_table(HEADER, [table_row(run, states) for run in runs])


def show(run: RunOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say everything of one run: what was asked for, where it stands, its last metrics, its error."""
    from miscope.cli.runs_table import detail

    queue = queue_of(opened(workspace))
    seen = queue.run(run)
    if as_json:
        print_json(seen.facts())
        return
    states = {other.id: other.state for other in queue.runs()}
    print_table(("", ""), [(name, value) for name, value in detail(seen, states) if value])
    if seen.error:
        print(f"\n{seen.error}")


def serve(
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Runs at the same time.  (default: cores / threads)", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each run that asks for no number.")] = 1,
    pause: Annotated[float, typer.Option(min=0, help="Seconds of rest after each run.")] = 0.0,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing more can begin.")] = False,
    in_passing: Annotated[bool, typer.Option("--in-passing", hidden=True)] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Work through the queue, a process for each run; its runs go on when it is ended."""
    from miscope.interruption import stop_on_signals
    from miscope.runs.run_queue import RunQueue
    from miscope.runs.run_state import ACTIVE
    from miscope.runs.slots import Slots, graphics_cards
    from miscope.runs.supervisor import Supervisor, supervising

    place = opened(workspace)
    queue = RunQueue(place.root)
    slots = Slots.of(at_once=at_once, threads=threads, cards=graphics_cards())
    with stop_on_signals() as asked:
        while True:
            with _saying_nothing() if in_passing else nullcontext(), supervising(queue):
                note(f"At most {slots.at_once} runs at once, in {place.root}")
                supervisor = Supervisor(queue=queue, ledger=place.ledger, slots=slots, pause=pause, note=note)
                supervisor.serve(should_stop=asked, until_idle=until_idle)
            # Whoever asked for a run just now, and found this supervisor there, started none.
            if asked() or not queue.ready():
                break
    going = queue.runs(ACTIVE)
    if going:
        line = in_workspace(place.root, f"miscope runs stop {' '.join(str(run.id) for run in going)}")
        note(f"{len(going)} run{'s go' if len(going) > 1 else ' goes'} on without it; to stop:  {line}")
    if asked():
        raise typer.Exit(asked.exit_code)


@contextmanager
def _saying_nothing() -> Iterator[None]:
    """Where there is another supervisor, end without a word: who starts one in passing does not mind."""
    from miscope.runs.run_errors import Supervised

    try:
        yield
    except Supervised:
        raise typer.Exit(1) from None


def rebuild(workspace: WorkspaceOption = None) -> None:
    """Make the queue anew from the runs' folders and the ledger, where its file is damaged."""
    from miscope.runs.rebuilding import rebuild as rebuilt
    from miscope.runs.run_queue import RunQueue
    from miscope.runs.supervisor import supervising

    place = opened(workspace)
    queue = RunQueue(place.root)
    with supervising(queue):
        for line in rebuilt(queue, place.ledger):
            print(line)
