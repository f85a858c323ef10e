"""`miscope train`: train a variant, with a bar, its losses and the time left."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from miscope.progress import Progress

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
    from miscope.interruption import stop_on_signals
    from miscope.running import run
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
    with stop_on_signals() as asked:
        last = _report(run(place, request, should_stop=asked))
    print(last.message or f"{variant.name}: {_line(last)}")
    if last.step < last.total:
        note("Stopped; the same command goes on from here.")
        raise typer.Exit(asked.exit_code)


def _report(progress: Iterable[Progress]) -> Progress:
    """Show the training as it goes; its last progress."""
    *_, last = _with_bar(_with_messages(progress)) if sys.stderr.isatty() else _with_lines(_with_messages(progress))
    return last


def _with_messages(progress: Iterable[Progress]) -> Iterator[Progress]:
    """The same, each message printed as it comes; the last one is for the caller to print."""
    message = ""
    for seen in progress:
        if message:
            note(message)
        message = seen.message
        yield seen


def _with_bar(progress: Iterable[Progress]) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from miscope.cli.time_left import TimeLeft

    columns = (
        BarColumn(bar_width=None), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        TextColumn("left"), TimeLeft(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        for seen in progress:
            if seen.log:
                bar.console.print(seen.log, markup=False, highlight=False, soft_wrap=True)
            bar.update(task, completed=seen.step, total=seen.total, description=_metrics(seen))
            yield seen


def _with_lines(progress: Iterable[Progress]) -> Iterator[Progress]:
    """A line at every twentieth of the way, for logs, unless they have lines of their own."""
    shown, own = -1, False
    for seen in progress:
        if seen.log:
            own = True
            note(seen.log)
        elif not own and seen.step * 20 // max(seen.total, 1) > shown:
            shown = seen.step * 20 // max(seen.total, 1)
            note(_line(seen))
        yield seen


def _line(seen: Progress) -> str:
    return f"step {seen.step} of {seen.total} | {_metrics(seen)}"


_SHOWN = {"train_loss": "train {:.3g}", "test_loss": "test {:.3g}", "test_accuracy": "test accuracy {:.1%}"}


_MOST = 3
"""Watched scalars that the line has room for."""


def _metrics(seen: Progress) -> str:
    losses = [form.format(seen.metrics[name]) for name, form in _SHOWN.items() if name in seen.metrics]
    by_instrument: dict[str, list[str]] = {}
    for name, value in seen.metrics.items():
        instrument, slash, output = name.partition("/")
        if slash and not math.isnan(value):  # what is not defined for this model is no news
            by_instrument.setdefault(instrument, []).append(f"{output} {value:.3g}")
    # The first of each instrument, then the second of each.
    watched = [text for each in zip_longest(*by_instrument.values()) for text in each if text is not None]
    more = [f"{len(watched) - _MOST} more"] if len(watched) > _MOST else []
    return " | ".join([*losses, *watched[:_MOST], *more])
