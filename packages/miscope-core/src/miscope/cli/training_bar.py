"""The bar of a training: where a terminal is narrow its numbers stay whole, and the rest gives way."""

from __future__ import annotations

from typing import final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from miscope.cli.time_left import TimeLeft

__all__ = ["training_bar"]


def training_bar(console: Console) -> Progress:
    """Steps done of all, what a task is described by, the time it took and the time left."""
    return Progress(
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        _Words("{task.description}", table_column=Column()),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
        TextColumn("left"),
        TimeLeft(table_column=Column(no_wrap=True)),
        console=console,
        expand=True,
    )


@final
class _Words(TextColumn):
    """On one line: what has no room is left out at its end. A column that may wrap is the first to lose its width."""

    def render(self, task: Task) -> Text:
        words = super().render(task)
        words.no_wrap, words.overflow = True, "ellipsis"
        return words
