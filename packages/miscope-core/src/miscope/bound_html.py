"""What a notebook shows of a handle."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.store.store import Store
    from miscope.variant import Variant

__all__ = ["runs_table", "variant_card"]


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
    head = "".join(f"<th>{name}</th>" for name in ("run", "state", "what", "done", "error"))
    return f"<table><tr>{head}</tr>{''.join(map(_row, runs))}</table>"


def _row(run: QueuedRun) -> str:
    done = "" if run.share is None else f"{run.share:.0%}"
    cells = (str(run.id), run.state.value, f"{run.kind} {run.what}", done, run.error.partition("\n")[0])
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
