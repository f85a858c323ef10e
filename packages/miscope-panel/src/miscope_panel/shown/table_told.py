"""What the table of variants shows, or why it shows nothing, in a line or a few."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from miscope.commands import in_workspace
from miscope.failure import Failure
from miscope.field_text import shortened
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.showing import ShownTable
from miscope_panel.shown.variants_table import TableAnswer

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["line", "relaxing_told", "told", "unread"]

_READ = 80
"""Letters that are repeated of what somebody typed."""


def told(workspace: Workspace, asked: TableAsked, found: TableAnswer) -> str:
    """What the table shows, or why it shows nothing, as HTML of plain text."""
    shown = found.shown
    if found.problem:
        # What cannot be read leaves nothing out; of a workspace that cannot be, nobody knows how much there is.
        rest = [line(f"Without it: {_found_text(asked, shown)}.")] if shown.rows and found.whole else []
        return "".join([*(line(each, "problem") for each in found.problem.splitlines()), *rest])
    if not shown.total:
        train = in_workspace(workspace.root, "miscope train FAMILY")
        lines = ("No variants yet.", f"The workspace at {workspace.root} is empty. To train one:  {train}")
        return "".join(map(line, lines))
    variants = _variants(shown.total)
    if not shown.rows:
        said = " and ".join(text.strip() for text in (asked.text, asked.where) if text.strip())
        return line(f"0 of {variants} match {_short(said)}") + _unknown(shown)
    return line(_found_text(asked, shown) + _in_groups(shown)) + _unknown(shown)


def unread(failure: Failure) -> TableAnswer:
    """No table, and why."""
    return TableAnswer(problem=failure.error, whole=False)


def _found_text(asked: TableAsked, shown: ShownTable) -> str:
    variants = _variants(shown.total)
    return f"{shown.matched:,} of {variants}" if asked.narrows else variants


def _variants(count: int) -> str:
    return f"{count:,} variant{'s' * (count != 1)}"


def relaxing_told(found: TableAnswer) -> str:
    """What is offered where nothing is found; '' for nothing."""
    instead = found.instead
    return "" if instead is None else f"Leave out {_short(instead.without)} ({_variants(instead.matched)})"


def _in_groups(shown: ShownTable) -> str:
    count = len(shown.rows)
    return f" in {count:,} group{'s' * (count != 1)}" if shown.in_groups else ""


def _unknown(shown: ShownTable) -> str:
    return line(f"No column is named {shortened([*map(_short, shown.unknown)])}.", "problem") if shown.unknown else ""


def _short(text: str) -> str:
    return text if len(text) <= _READ else f"{text[:_READ]} …"


def line(text: str, kind: str = "told") -> str:
    """A paragraph of HTML of plain text."""
    return f'<p class="{kind}">{escape(text)}</p>'
