"""`miscope runs watch` and `miscope runs logs`: runs as they go."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.dropped import refuse_dropped
from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json
from miscope.cli.queueing import GroupOption
from miscope.cli.watched_queue import WatchedQueue
from miscope.jsonable import jsonable

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun

__all__ = ["add_to"]

_LOOK_EVERY = 0.5
"""Seconds."""


def add_to(group: typer.Typer) -> None:
    """The commands `watch` and `logs`."""
    group.command()(watch)
    group.command()(logs)


def watch(
    runs: Annotated[
        list[int] | None, typer.Argument(metavar="RUN...", help="Their numbers.  (default: all that have not ended)")
    ] = None,
    group: GroupOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow runs until they have ended, or will not begin as things stand; ends with 1 unless all are completed.

    Ctrl-C stops watching, and no run. With --json one object a line, whenever something changed.
    """
    from miscope.runs.run_state import ENDED, RunState

    known = "Runs are followed by their numbers, or all of a study."
    refuse_dropped(bool(runs), "beside numbers", known, "Leave it out, or the numbers.", group=group)
    watched = WatchedQueue.of(opened(workspace))
    watched.look()
    numbers = runs or [run.id for run in watched.queue.runs(group=group) if group or run.state not in ENDED]
    if not numbers:
        note("No run is under way.")
        return
    seen = _seen(watched, numbers)
    if as_json:
        last = _as_lines(seen, lambda run: json.dumps(jsonable(run.facts()), default=str))
    else:
        last = _as_table(seen) if sys.stderr.isatty() else _as_lines(seen, _line)
    if any(run.state is not RunState.COMPLETED for run in last):
        raise typer.Exit(1)


def logs(
    run: Annotated[int, typer.Argument(metavar="RUN", help="Its number.")],
    tail: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as lines come, until the run has ended.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a run's process printed."""
    from miscope.runs.run_folder import RunFolder

    known = "One answer in JSON is given once, and ends."
    refuse_dropped(as_json, "with --json", known, "Leave one of them out.", follow=follow)
    watched = WatchedQueue.of(opened(workspace))
    watched.look()
    queue = watched.queue
    folder = RunFolder(queue.layout, queue.run(run).id)
    end = folder.log.stat().st_size if folder.log.exists() else 0
    lines = folder.tail(tail, end)
    if as_json:
        print_json({"id": run, "lines": lines})
        return
    print("\n".join(lines) if lines else "", end="\n" if lines else "", flush=True)
    if follow:
        _follow(watched, run, folder.log, end)


def _follow(watched: WatchedQueue, number: int, log: Path, start: int) -> None:
    """Print what comes after that many bytes, until the run has ended, or will not begin, and all is printed."""
    from miscope.runs.run_state import ENDED

    for (run,) in _seen(watched, [number]):
        content = b""
        if log.exists():
            with log.open("rb") as file:
                file.seek(start)
                content = file.read()
        # What is not a whole line yet is left for the next look.
        whole = content if run.state in ENDED else content[: content.rfind(b"\n") + 1]
        start += len(whole)
        print(whole.decode(errors="replace"), end="", flush=True)


def _seen(watched: WatchedQueue, numbers: list[int]) -> Iterator[list[QueuedRun]]:
    """The runs as they stand, again and again until all have ended, or nothing will happen to them."""
    from miscope.runs.run_state import ENDED

    while True:
        watched.look()
        runs = [watched.queue.run(number) for number in numbers]
        yield runs
        if all(run.state in ENDED for run in runs) or watched.waits_in_vain(runs):
            return
        watched.say_who_works()
        time.sleep(_LOOK_EVERY)


def _as_table(seen: Iterable[list[QueuedRun]]) -> list[QueuedRun]:
    """A table that is drawn over itself; the runs as they were last."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from miscope.cli.runs_table import HEADER, table_row

    runs: list[QueuedRun] = []
    with Live(console=Console(stderr=True), refresh_per_second=4) as live:
        for runs in seen:
            table = Table(*HEADER, box=None, pad_edge=False, header_style="bold")
            states = {run.id: run.state for run in runs}
            for run in runs:
                table.add_row(*(Text(str(cell)) for cell in table_row(run, states)))
            live.update(table)
    return runs


def _as_lines(seen: Iterable[list[QueuedRun]], form: Callable[[QueuedRun], str]) -> list[QueuedRun]:
    """A line for each change of what the form says of a run; the runs as they were last."""
    runs: list[QueuedRun] = []
    printed: dict[int, str] = {}
    for runs in seen:
        for run in runs:
            line = form(run)
            if line != printed.get(run.id):
                printed[run.id] = line
                print(line, flush=True)
    return runs


def _line(run: QueuedRun) -> str:
    """The run with how far it is, in twentieths: a log is not flooded."""
    share = "" if run.percent is None else f" {run.percent // 5 * 5} %"
    reason = f": {run.error.partition(chr(10))[0]}" if run.error else ""
    return f"run {run.id}: {run.state}{share} | {run.kind} {run.what}{reason}"
