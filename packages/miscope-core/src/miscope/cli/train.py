"""`miscope train`: train a variant, with a bar, its losses and the time left."""

from __future__ import annotations

from typing import Annotated

import typer

from miscope.cli.estimating import print_estimate
from miscope.cli.options import LabelOption, WorkspaceOption, assignments, opened
from miscope.cli.printing import note
from miscope.cli.queueing import (
    AfterOption,
    PriorityOption,
    QueueOption,
    enqueue,
    following,
    only_with_queue,
)
from miscope.cli.training_report import train_and_tell

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `train`."""
    cli.command(rich_help_panel="Make")(train)


def train(
    target: Annotated[
        str, typer.Argument(metavar="FAMILY", help="`miscope families` lists them; or a variant's name.")
    ],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Parameters, such as prime=113 seed=999.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=0, help="Train to this step.  (default: the family's)")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="How to train: weight_decay=0.5.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from what is there.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; 1 makes runs repeat bit by bit.")] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the step with torch, where that works.")] = False,
    warm: Annotated[
        bool, typer.Option("--warm", help="Begin with the last checkpoint's weights and a fresh optimizer.")
    ] = False,
    watch: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:EVERY]", help="Instrument to compute while it trains; its scalars become metrics."),
    ] = None,
    log_every: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Print a line, as the family has it, at every Nth step.")
    ] = None,
    label: LabelOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take - time, checkpoints, disk - and train nothing.")
    ] = False,
    queued: QueueOption = False,
    then: Annotated[
        str | None, typer.Option(metavar="analyze[:NAME,...]", help="With --queue: what follows the training.")
    ] = None,
    priority: PriorityOption = 0,
    after: AfterOption = None,
    workspace: WorkspaceOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --queue or --dry-run: print JSON, for scripts.")
    ] = False,
) -> None:
    """Train a variant and keep its checkpoints; Ctrl-C stops at a step that the same command goes on from."""
    from miscope.cli.targets import one_to_train
    from miscope.train_options import TrainOptions
    from miscope.train_request import train_request

    place = opened(workspace)
    only_with_queue(queued, then=then, priority=priority, after=after, json=as_json and not dry_run)
    variant = one_to_train(place, target, assignments([*(fields or ()), *(setting or ())]), now=not queued)
    variant = variant if label is None else variant.labelled(label)
    options = TrainOptions(
        steps=steps,
        resume=resume,
        warm=warm,
        device=device,
        threads=threads,
        compile=compiled,
        watch=watch or (),
        log_every=log_every,
    )
    request = train_request(variant, options)
    if dry_run:
        print_estimate(place, variant, request, as_json=as_json)
        return
    if queued:
        requests = [request, *following(then, variant.name)]
        enqueue(place, requests, priority=priority, after=after or (), as_json=as_json)
        return
    note(f"{variant.name}  in {place.root}")
    code = train_and_tell(place, request, variant.name)
    if code:
        raise typer.Exit(code)
