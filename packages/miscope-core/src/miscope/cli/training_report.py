"""How a command shows a training: a bar or lines, the losses, the time left, and how it ended."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from miscope.cli.printing import note

if TYPE_CHECKING:
    from miscope.progress import Progress
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

__all__ = ["report_progress", "train_and_tell"]


def train_and_tell(place: Workspace, request: TrainRequest, name: str) -> int:
    """Do the request and show it as it goes; 0, or the exit code of the signal that stopped it.

    name: the variant's.
    """
    from miscope.interruption import stop_on_signals
    from miscope.running import run

    with stop_on_signals() as asked:
        last = report_progress(run(place, request, should_stop=asked))
    print(last.message or f"{name}: {_line(last)}")
    if last.step >= last.total:
        return 0
    note("Stopped; the same command goes on from here.")
    return asked.exit_code


def report_progress(progress: Iterable[Progress]) -> Progress:
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

    from miscope.cli.training_bar import training_bar

    with training_bar(Console(stderr=True)) as bar:
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
    return " | ".join(each for each in (f"step {seen.step} of {seen.total}", _metrics(seen)) if each)


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
