"""When it happened, in every variant by the same definition, with the interval of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from miscope.artifact import Arrays
from miscope.figures.render import EVENTS
from miscope.maths.learnt import definitions, step_by, words
from miscope.reporting.content import Missing, Table
from miscope.reporting.contributed import attempted
from miscope.reporting.found_artifacts import artifact_of
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["DATED", "EventSteps", "detected_events", "event_steps", "event_table"]

DATED = {
    "memorised": "memorised",
    "peak": "test loss at its peak",
    "onset": "onset of generalising (10 % of the fall of log test loss)",
    "half": "half of that fall",
    "complete": "90 % of that fall",
    "generalised": "generalised",
}
"""Events of the detector, and what a row of the table is called."""

EventSteps = Mapping[str, Sequence[float]]
"""Step of each event in every variant; NaN where it did not happen, or nobody looked."""

_DOUBT = "In brackets: 95 % interval by block bootstrap of the variant's own curve. 'never': not within the record."


def event_table(detected: Sequence[Arrays | None], labels: Sequence[str], step_label: str) -> Table:
    """A row for each event; without any rows where no detector was run."""
    there = [arrays for arrays in detected if arrays is not None]
    if not there:
        note = f"No events are known: {EVENTS} was not computed, or finds no loss on a training and on a test set."
        return Table(columns=("event", *labels), rows=(), note=note)
    chosen = definitions(there)
    texts = words(there, chosen)
    rows = []
    for event, name in DATED.items():
        called = f"{name} ({texts[event]})" if event in texts else name
        rows.append((called, *(_cell(arrays, event, chosen) for arrays in detected)))
    return Table(columns=(f"event, at {step_label}", *labels), rows=tuple(rows), note=_DOUBT)


def event_steps(detected: Sequence[Arrays | None]) -> EventSteps:
    """The steps alone."""
    chosen = definitions([arrays for arrays in detected if arrays is not None])
    return {event: [float(step_by(arrays or {}, event, chosen)) for arrays in detected] for event in DATED}


def detected_events(workspace: Workspace, variants: Sequence[Variant]) -> list[Arrays | None]:
    """What the detector found in each variant; None where it was not run."""
    if EVENTS not in workspace.plugins.analyzers:
        return [None] * len(variants)
    found = [attempted(EVENTS, one.name, partial(artifact_of, workspace, EVENTS, [one])) for one in variants]
    return [None if isinstance(one, Missing) else one.observed.arrays for one in found]


def _cell(arrays: Arrays | None, event: str, chosen: Mapping[str, str]) -> str:
    if arrays is None:
        return "not looked for"
    step = float(step_by(arrays, event, chosen))
    if not np.isfinite(step):
        return "never"
    low, high = step_by(arrays, event, chosen, "/ci")
    return f"{step:,.0f} [{low:,.0f}, {high:,.0f}]" if np.isfinite([low, high]).all() else f"{step:,.0f}"
