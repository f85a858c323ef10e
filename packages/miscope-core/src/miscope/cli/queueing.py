"""Put what a command asks for into the queue instead of doing it, and have somebody work through the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.dropped import refuse_dropped
from miscope.cli.options import not_empty
from miscope.cli.printing import note, print_json
from miscope.commands import in_workspace
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.request import Request
    from miscope.workspace import Workspace

__all__ = [
    "AfterOption",
    "GroupOption",
    "PriorityOption",
    "QueueJsonOption",
    "QueueOption",
    "enqueue",
    "enqueue_chains",
    "following",
    "only_with_queue",
    "only_without_queue",
]

QueueOption = Annotated[
    bool, typer.Option("--queue", help="Put it into the queue and return; `miscope runs watch` follows it.")
]
PriorityOption = Annotated[int, typer.Option(help="In the queue: higher ones begin first.")]
AfterOption = Annotated[
    list[int] | None, typer.Option(metavar="RUN", help="In the queue: not before this run is completed (repeatable).")
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="STUDY", parser=not_empty, help="All of this study; with --state, those in that state."
    ),
]
QueueJsonOption = Annotated[bool, typer.Option("--json", help="With --queue: print the runs as JSON, for scripts.")]


def only_with_queue(queued: bool, **options: object) -> None:
    """BadValue where one of these options is given and the queue is not asked for."""
    refuse_dropped(
        not queued,
        "without --queue",
        "It says where in the queue a run goes, or what follows it there.",
        "Add --queue, or leave it out.",
        **{name: value or None for name, value in options.items()},
    )


def only_without_queue(workspace: Workspace, queued: bool, **options: object) -> None:
    """BadValue where the queue is asked for and one of these options too."""
    given = " and ".join(f"--{name}" for name, value in options.items() if value)
    if queued and given:
        raise BadValue(
            f"--queue has the queue's supervisor do the work; {given} would have this command share it out.",
            "How many runs it works on at a time is the supervisor's setting.",
            f"Leave one of them out; or set it:  {in_workspace(workspace.root, 'miscope runs serve --at-once N')}",
        )


def enqueue(
    workspace: Workspace, requests: Sequence[Request], *, priority: int, after: Sequence[int], as_json: bool
) -> None:
    """Put the requests into the queue, each behind the one before it, and see to it that a supervisor is there."""
    enqueue_chains(workspace, [requests], priority=priority, after=after, as_json=as_json)


def enqueue_chains(
    workspace: Workspace, chains: Sequence[Sequence[Request]], *, priority: int, after: Sequence[int], as_json: bool
) -> None:
    """The same for several; what has not ended and asks for the same is not asked for a second time."""
    from miscope.runs.queued_run import Place
    from miscope.runs.run_queue import RunQueue
    from miscope.runs.submitting import submit_chains
    from miscope.runs.supervisor import start_supervisor

    place = Place(priority=priority, needs=tuple(after))
    runs = [run for chain in submit_chains(workspace, RunQueue(workspace.root), chains, place) for run in chain]
    if runs:
        start_supervisor(workspace.root)
    if as_json:
        print_json([run.facts() for run in runs])
        return
    for run in runs:
        behind = f", after {', '.join(map(str, run.place.needs))}" if run.place.needs else ""
        print(f"run {run.id}: {run.kind} {run.what}{behind}")
    if not runs:
        print("There is nothing to do.")
        return
    last = "" if len(chains) > 1 else f" {runs[-1].id}"
    note(f"To follow:  {in_workspace(workspace.root, f'miscope runs watch{last}')}")


def following(then: str | None, variant: str) -> list[Request]:
    """What `--then` asks for after the training: 'analyze', or 'analyze:NAME,NAME'."""
    from miscope.analyze_request import AnalyzeRequest

    if then is None:
        return []
    verb, _, names = then.partition(":")
    if verb != "analyze":
        raise BadValue(
            f"{then!r} cannot follow a training.",
            "What can is an analysis: of everything that applies, or of named instruments.",
            "Write --then analyze, or --then analyze:NAME,NAME.",
        )
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    return [AnalyzeRequest(variants=(variant,), analyzers=chosen or None)]
