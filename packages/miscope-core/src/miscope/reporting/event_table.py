"""When it happened, in every variant by the same definition, with the interval of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from miscope.artifact import Arrays
from miscope.figures.render import EVENTS
from miscope.maths.dated_events import EVENT_WORDS
from miscope.maths.learnt import DATED, NEVER_FELL, definitions, step_by, words
from miscope.reporting.content import Missing, Table
from miscope.reporting.contributed import attempted
from miscope.reporting.found_artifacts import artifact_of
from miscope.reporting.gaps import gaps
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["EventSteps", "detected_events", "event_steps", "event_table"]

EventSteps = Mapping[str, Sequence[float]]
"""Step of each event in every variant; NaN where it did not happen, or nobody looked."""

_OF_THE_FALL = ("peak", "onset", "half", "complete")
_NO_FALL = "no fall"

_DOUBT = "In brackets: 95 % interval by block bootstrap of the variant's own curve. 'never': not within the record."
_FALL = f" '{_NO_FALL}': the test loss {NEVER_FELL} after its highest, or was down where the record begins."


def event_table(detected: Sequence[Arrays | Missing], labels: Sequence[str], step_label: str) -> Table:
    """A row for each event; without any rows where the detector has nothing to show, with the reason below."""
    there, without = _there(detected), " ".join(_why(each) for each in gaps(_absent(detected)))
    if not there:
        return Table(columns=("event", *labels), rows=(), note=f"No events are known. {without}")
    chosen = definitions(there)
    texts = words(there, chosen)
    rows = []
    for event, said in EVENT_WORDS.items():
        rows.append(
            (f"{said.long} ({texts.get(event, said.means)})", *(_cell(arrays, event, chosen) for arrays in detected))
        )
    fall = _FALL if any(_NO_FALL in row for row in rows) else ""
    note = f"{_DOUBT}{fall} {without}".rstrip()
    return Table(columns=(f"event, at {step_label}", *labels), rows=tuple(rows), note=note)


def event_steps(detected: Sequence[Arrays | Missing]) -> EventSteps:
    """The steps alone."""
    chosen, known = definitions(_there(detected)), [{} if isinstance(one, Missing) else one for one in detected]
    return {event: [float(step_by(arrays, event, chosen)) for arrays in known] for event in DATED}


def detected_events(workspace: Workspace, variants: Sequence[Variant], labels: Sequence[str]) -> list[Arrays | Missing]:
    """What the detector found in each variant, or why there is nothing of it."""
    of = labels if len(variants) > 1 else [""]
    found = [
        attempted(EVENTS, label, partial(artifact_of, workspace, EVENTS, [one]))
        for one, label in zip(variants, of, strict=True)
    ]
    return [one if isinstance(one, Missing) else one.observed.arrays for one in found]


def _there(detected: Sequence[Arrays | Missing]) -> list[Arrays]:
    return [one for one in detected if not isinstance(one, Missing)]


def _absent(detected: Sequence[Arrays | Missing]) -> list[Missing]:
    return [one for one in detected if isinstance(one, Missing)]


def _why(gap: Missing) -> str:
    of, cure = f" of {gap.of}" if gap.of else "", f" To compute it: {gap.command}" if gap.command else ""
    return f"{gap.name}{of}: {gap.reason}.{cure}"


def _cell(arrays: Arrays | Missing, event: str, chosen: Mapping[str, str]) -> str:
    if isinstance(arrays, Missing):
        return "not known"
    step = float(step_by(arrays, event, chosen))
    if not np.isfinite(step):
        return _NO_FALL if event in _OF_THE_FALL and not arrays["fell"] else "never"
    if step == float(arrays["first"]):
        return f"{step:,.0f}, where the record begins"
    low, high = step_by(arrays, event, chosen, "/ci")
    return f"{step:,.0f} [{low:,.0f}, {high:,.0f}]" if np.isfinite([low, high]).all() else f"{step:,.0f}"
