"""What a notebook shows of a handle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miscope.figures.availability import Availability
    from miscope.runs.queued_run import QueuedRun
    from miscope.store.store import Store
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["available_table", "runs_table", "told_table", "variant_card", "workspace_table"]

_ROWS = 20
"""A list that is longer ends with how many more there are."""


def workspace_table(workspace: Workspace) -> str:
    """Where it is, how many variants it has of how many families, and a row for each of the first."""
    names, store = workspace.names(), workspace.store
    families = Counter(name.partition("/")[0] for name in names)
    what = f"{_count(len(names), 'variant')} of {_count(len(families), 'family', 'families')}"
    head = f"<b>{escape(str(workspace.root))}</b><br>{what}"
    rows = [(name, *_reach(store.steps(name))) for name in names[:_ROWS]]
    return head + _table(("variant", "checkpoints", "last step"), rows) + _more(len(names))


def available_table(variant: str, every: Sequence[Availability]) -> str:
    """What is there of the variant, and how much else is not, and why."""
    there = [each for each in every if each.state == "there"]
    steps = any(each.steps for each in there)
    rows = [(each.name, *([str(len(each.steps) or "")] if steps else [])) for each in there[:_ROWS]]
    head = f"<b>{escape(variant)}</b><br>{len(there)} of {len(every)} are there"
    body = _table(("name", *(["checkpoints"] if steps else [])), rows) if rows else ""
    missing = [each.name for each in every if each.state == "missing"]
    others = len(every) - len(there) - len(missing)
    said = [f"Not computed: {', '.join(missing[:_ROWS])}{_and_more(len(missing))}."] if missing else []
    said += [f"{others} cannot be shown of it."] if others else []
    return head + body + _more(len(there)) + "".join(f"<p>{escape(each)}</p>" for each in said)


def variant_card(variant: Variant, store: Store) -> str:
    """Its name, what there is of it, and its parameters."""
    steps = store.steps(variant.name)
    bare = "metrics only" if store.metrics(variant.name) else "no checkpoints yet"
    kept = f"{len(steps)} checkpoints, steps {steps[0]} to {steps[-1]}" if steps else bare
    fields = variant.params.model_dump()
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in fields.items())
    return f"<b>{escape(variant.name)}</b><br>{kept}<table>{rows}</table>"


def runs_table(runs: list[QueuedRun]) -> str:
    """A row for each run."""
    return told_table((run.id, run.state, f"{run.kind} {run.what}", run.percent, run.error) for run in runs)


def told_table(runs: Iterable[tuple[int, str, str, int | None, str]]) -> str:
    """The same of what is known of each: number, state, what it is, how much of it is done in percent, error."""
    rows = (
        (str(number), state, what, "" if done is None else f"{done} %", error.partition("\n")[0])
        for number, state, what, done, error in runs
    )
    return _table(("run", "state", "what", "done", "error"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Plain, so that light and dark notebooks give it their own look."""
    named = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{named}</tr>{body}</table>"


def _reach(steps: Sequence[int]) -> tuple[str, str]:
    return (str(len(steps)), f"{steps[-1]:,}") if steps else ("0", "")


def _more(count: int) -> str:
    return f"<p>{_and_more(count).removeprefix(' ')}</p>" if count > _ROWS else ""


def _and_more(count: int) -> str:
    return f" and {count - _ROWS} more" if count > _ROWS else ""


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"
