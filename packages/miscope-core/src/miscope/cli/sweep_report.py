"""What becomes of a study's runs, printed as it happens: one line when a run begins, one when it is over."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from miscope.cli.printing import note
from miscope.progress import Progress
from miscope.studies.sweeping import Begun, Ended, Ending, Seen

if TYPE_CHECKING:
    from miscope.interruption import SignalFlag

__all__ = ["exit_code", "report", "row"]


def report(events: Iterable[Begun | Seen | Ended], total: int, retries: int = 0) -> list[Ended]:
    """Print what happens as it happens, and the sum at the end; how each run ended.

    total: of the runs. retries: how often one that failed is tried again.
    """
    began, ended = time.monotonic(), list[Ended]()
    for event in _with_bar(events) if sys.stderr.isatty() else _with_lines(events):
        match event:
            case Begun(planned=planned):
                begun = f"{planned.told(goes_on=event.goes_on)}{_attempt(event.attempt, retries)}"
                note(f"[{len(ended) + 1}/{total}] {planned.run.name}: {begun}")
            case Ended():
                ended.append(event)
                tries = _attempt(event.result.attempts, retries)
                note(f"[{len(ended)}/{total}] {_line(event)}{tries}{_rest(event, total - len(ended))}")
                if event.result.error:
                    note(event.result.trace.rstrip() or event.result.error)
            case Seen():
                pass
    counts = Counter(each.ending for each in ended)
    listed = ", ".join(f"{counts[ending]} {ending}" for ending in Ending if counts[ending]) or "nothing done"
    rest = f", {total - len(ended)} not begun" if len(ended) < total else ""
    note(f"{listed}{rest}, in {_duration(time.monotonic() - began)}")
    return ended


def exit_code(ended: Sequence[Ended], total: int, asked: SignalFlag) -> int:
    """What the command ends with: 1 if a run failed, 130 or 143 if it was stopped, else 0."""
    endings = {each.ending for each in ended}
    if asked() or Ending.STOPPED in endings or len(ended) < total:
        note("Stopped; the same command goes on from here.")
        return asked.exit_code
    return 1 if Ending.FAILED in endings else 0


def row(ended: Ended) -> dict[str, Any]:
    """As JSON has it, without a traceback."""
    run, result = ended.planned.run, ended.result
    names = {"name": run.name, "variant": run.variant.name, "ending": result.ending.value}
    known = {"step": result.step, "saved": result.saved, "seconds": result.seconds}
    return {**names, **known, "attempts": result.attempts, "error": result.error or None}


_MARKS = {Ending.DONE: "✓", Ending.SKIPPED: "-", Ending.FAILED: "✗", Ending.STOPPED: "■"}


def _attempt(number: int, retries: int) -> str:
    """' (attempt 2 of 2)', from the second on."""
    return f" (attempt {number} of {retries + 1})" if number > 1 else ""


def _line(ended: Ended) -> str:
    """'✓ p17_lr3e-4: done, at step 1000, 12 artifacts saved, 1.2 s'."""
    result, name = ended.result, ended.planned.run.name
    saved = f", {result.saved} artifacts saved" * bool(result.saved)
    seconds = f", {_duration(result.seconds)}" * (result.ending is not Ending.SKIPPED)
    return f"{_MARKS[result.ending]} {name}: {result.ending}, at step {result.step}{saved}{seconds}"


def _rest(ended: Ended, count: int) -> str:
    left = f", about {_duration(ended.left)}" if ended.left else ""
    return f"; {count} left{left}" if count else ""


def _duration(seconds: float) -> str:
    """'0.4 s', '12 min', '3 h 5 min'."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.1f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _with_lines(events: Iterable[Begun | Seen | Ended]) -> Iterator[Begun | Seen | Ended]:
    """A line at every quarter of a training, for logs."""
    shown = 0
    for event in events:
        yield event
        if isinstance(event, Begun):
            shown = event.planned.step * 4 // max(event.planned.total, 1)
        if isinstance(event, Seen) and isinstance(event.what, Progress):
            quarter = event.what.step * 4 // max(event.what.total, 1)
            if quarter > shown and event.what.step < event.what.total:
                note(f"  step {event.what.step} of {event.what.total}")
            shown = max(quarter, shown)


def _with_bar(events: Iterable[Begun | Seen | Ended]) -> Iterator[Begun | Seen | Ended]:
    """A bar for what is under way, below the lines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from miscope.cli.time_left import TimeLeft

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeLeft(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        doing = ""
        for event in events:
            if isinstance(event, Seen):
                training = isinstance(event.what, Progress)
                now = f"{'training' if training else 'analyzing'} {event.planned.run.name}"
                if now != doing:
                    bar.reset(task)
                    doing = now
                done = event.what.step if isinstance(event.what, Progress) else event.what.done
                bar.update(task, description=now, completed=done, total=event.what.total or None)
            yield event
