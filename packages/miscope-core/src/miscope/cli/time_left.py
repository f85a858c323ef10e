"""The time that is left, as the column of a bar: nothing until the pace is measured."""

from __future__ import annotations

from typing import final

from rich.progress import ProgressColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from miscope.pace import Pace

__all__ = ["TimeLeft"]


@final
class TimeLeft(ProgressColumn):
    """Of each task since it began, or was begun anew; what was done before, in an earlier run, counts for nothing."""

    def __init__(self, table_column: Column | None = None) -> None:
        super().__init__(table_column)
        self._paces: dict[tuple[TaskID, float | None], Pace] = {}

    def render(self, task: Task) -> Text:
        """'0:12:30', and '-:--:--' while nobody knows."""
        pace = self._paces.setdefault((task.id, task.start_time), Pace(task.get_time))
        if task.total is not None:
            pace.note(task.completed)
        left = pace.left(task.total)
        if left is None:
            return Text("-:--:--", style="progress.remaining")
        minutes, seconds = divmod(int(left), 60)
        return Text(f"{minutes // 60}:{minutes % 60:02}:{seconds:02}", style="progress.remaining")
