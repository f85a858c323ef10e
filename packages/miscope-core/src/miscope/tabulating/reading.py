"""The table of variants as the workspace has it now: made of the index and of the queue, without opening a variant."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from miscope.field_text import written_value
from miscope.store.annotation_files import all_annotations
from miscope.tabulating.grouping import MEMBERS
from miscope.tabulating.index_rows import numbers_of, variant_rows
from miscope.tabulating.measure import Measure
from miscope.tabulating.noted import noted
from miscope.tabulating.run_words import RunWords, run_words
from miscope.tabulating.variant_table import Cell, Part, Row, VariantTable
from miscope.training_config import TrainingConfig

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["OWN", "read_table", "table_of"]

_REASON = re.compile(r"^(/.*?) cannot be read\. (.+)$")
"""Of a problem with a file: a column is too narrow for the path before the reason."""
_BEFORE: Mapping[str, Part] = {"variant": "variant", "family": "variant"}
_AFTER: Mapping[str, Part] = {
    "step": "work",
    "checkpoints": "work",
    "state": "work",
    "done_pct": "work",
    "analyses": "work",
    "missing_analyses": "work",
    "tags": "work",
    "notes": "work",
    "problem": "work",
}
"""step: of the last checkpoint. done_pct: of the run that is under way. analyses: analyzers with something computed.
missing_analyses: those that others of its family have and it has not. tags, notes: its own, then those of its runs."""

OWN = frozenset({*_BEFORE, *_AFTER, MEMBERS})
"""Columns that every table has, or every table of groups, whatever metrics are called."""


def _recording(training: type[TrainingConfig]) -> frozenset[str]:
    """Fields of a training that say how long it is and what is kept of it: they make no other variant."""
    return frozenset(training.model_fields) - frozenset(training.identity_fields())


_USUAL = _recording(TrainingConfig)
"""Those of a family that is not installed, as far as one knows."""


def read_table(
    workspace: Workspace, measures: Sequence[Measure] = (), *, at: int | None = None, queued: bool = True
) -> VariantTable:
    """All variants that lie in the workspace, with these numbers; those whose training ended last come first.

    Which analyzers would apply to a variant only its model says, so what is missing is told by its family: an analyzer
    that was computed for another variant of it. at: the step of measures that are of one. queued: with what the queue
    says of their runs. Raises BadValue and BadFile where index or queue cannot be read.
    """
    index, rows = workspace.index, variant_rows(workspace.index)
    written = all_annotations(workspace.store, (row["variant"] for row in rows))
    words = noted(run_words(workspace.root) if queued else {}, written)
    families = workspace.plugins.families.values()
    recording = {family.name: _recording(family.training_config) for family in families}
    return table_of(rows, numbers_of(index, measures, at), words, measures, recording)


def table_of(
    rows: Sequence[Mapping[str, Any]],
    numbers: Mapping[str, Mapping[str, float]],
    words: Mapping[str, RunWords],
    measures: Sequence[Measure],
    recording: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> VariantTable:
    """The table of what was read: rows of the index, their measures and their runs' words by the variant's name.

    recording: by the family's name the fields of its training that make no other variant.
    """
    parts: dict[str, Part] = dict(_BEFORE)
    made: dict[str, set[str]] = {}
    for row in rows:
        made.setdefault(row["family"], set()).update(row["analyzers"] or ())
    measured: dict[str, Part] = {str(measure): "measure" for measure in measures if str(measure) not in OWN}
    taken = {*OWN, *measured}
    found = []
    for row in rows:
        kept = recording.get(row["family"], _USUAL)
        fields = {**_fields(row["params"], "parameter", taken), **_fields(row["training"], "training", taken, kept)}
        for name, (part, _) in fields.items():
            parts.setdefault(name, part)
        cells = {name: cell for name, (_, cell) in fields.items()}
        name = row["variant"]
        cells |= {column: number for column, number in numbers.get(name, {}).items() if column in measured}
        cells |= _work(row, words.get(name), made[row["family"]])
        found.append(Row(variants=(name,), cells={"variant": name, "family": row["family"], **cells}))
    return VariantTable.of({**parts, **measured, **_AFTER}, found)


def _work(row: Mapping[str, Any], words: RunWords | None, made: Collection[str]) -> dict[str, Cell]:
    """What was done of a variant. made: analyzers that any of its family has."""
    own = set(row["analyzers"] or ())
    cells: dict[str, Cell] = {
        "step": row["step"],
        "checkpoints": row["checkpoints"] or 0,
        "state": _state(row, words),
        "done_pct": None if words is None or words.share is None else round(100 * words.share, 1),
        "analyses": len(own),
        "missing_analyses": len(set(made) - own),
        "tags": ", ".join(words.tags) if words else None,
        "notes": words.notes if words else None,
        "problem": _REASON.sub(r"\2 (\1)", row["problem"] or ""),
    }
    return {name: cell for name, cell in cells.items() if cell not in (None, "")}


def _state(row: Mapping[str, Any], words: RunWords | None) -> Cell:
    """Where the queue's last run stands, unless the variant was trained without the queue since that ended."""
    if words is None or not words.state:
        return row["state"]
    later = words.ended is not None and row["begun"] is not None and row["begun"] > words.ended
    return row["state"] if later else words.state


def _fields(
    text: str | None, part: Part, taken: Collection[str], kept: Collection[str] = ()
) -> dict[str, tuple[Part, Cell]]:
    """Parameters or training fields by the names of their columns: 'training.checkpoints' where that name is taken."""
    given = json.loads(text) if text else None
    if not isinstance(given, Mapping):
        return {}
    prefix = "params" if part == "parameter" else "training"
    return {
        f"{prefix}.{name}" if name in taken else name: ("work" if name in kept else part, _cell(value))
        for name, value in given.items()
    }


def _cell(value: object) -> Cell:
    """What stands in a record: a list is text, as one types it."""
    return value if isinstance(value, bool | int | float | str) or value is None else written_value(value)
