"""The numbers that a figure draws as files: what remains of a picture for a reader with other tools."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.figure_data import figure_data
from miscope.figures.figure_names import plain, unlike
from miscope.figures.trace_columns import PANEL, TRACE

if TYPE_CHECKING:
    import pyarrow
    from plotly.graph_objects import Figure

__all__ = ["figure_arrays", "figure_columns", "figure_table", "npz", "numbers", "parquet"]


def figure_columns(figure: Figure) -> dict[str, np.ndarray]:
    """The numbers in long form: a row for each point or cell, named as by `figure_data`.

    The column 'trace' says whose a row is, 'panel' where its panel is; each only where it tells rows apart. A column
    that some trace lacks is None there, or NaN in one of real numbers.
    """
    traces = figure_data(figure)
    rows = [one.long() for one in traces]
    sizes = [len(next(iter(columns.values()))) for columns in rows]
    long = {}
    for name, belongs in ((PANEL, [one.panel for one in traces]), (TRACE, [one.trace for one in traces])):
        if any(belongs):
            long[name] = np.repeat(np.array([words or None for words in belongs], dtype=object), sizes)
    for name in dict.fromkeys(name for columns in rows for name in columns):
        long[name] = _joined([columns.get(name) for columns in rows], sizes)
    return long


def figure_arrays(figure: Figure) -> dict[str, np.ndarray]:
    """The numbers as arrays 'train/loss (nats)'; those of one name before the stroke belong together.

    That name is the trace's, after its panel's where this is needed to tell them apart; a figure's only trace has none.
    Of a grid there are two axes and what the cells hold, (down, across). Texts are of fixed width, "" where there is
    none.
    """
    traces = figure_data(figure)
    arrays: dict[str, np.ndarray] = {}
    names: list[str] = []
    for number, one in enumerate(traces, start=1):
        name = "/".join(words for words in (one.panel, one.trace if len(traces) > 1 else "") if words)
        names.append(unlike(name or f"trace {number}", names) if name or "" in names else "")
        for quantity, column in one.columns.items():
            texts = np.array(["" if value is None else value for value in column.flat]).reshape(column.shape)
            key = f"{names[-1]}/{quantity}" if names[-1] else quantity
            arrays[unlike(key, arrays)] = texts if column.dtype.hasobject else column
    return arrays


def figure_table(figure: Figure) -> pyarrow.Table:
    """The columns as a table, null where there is nothing; its metadata 'miscope' says what is shown, as JSON."""
    import pyarrow as pa

    columns = figure_columns(figure)
    texts = {n for n, column in columns.items() if column.dtype.hasobject and not any(type(v) is int for v in column)}
    kinds = {name: pa.string() if name in texts else None for name in columns}
    table = pa.table({name: pa.array(column, kinds[name], from_pandas=True) for name, column in columns.items()})
    return table.replace_schema_metadata({"miscope": _about(figure)})


def numbers(figure: Figure) -> str:
    """The columns as CSV, empty where there is nothing."""
    columns = figure_columns(figure)
    # As scalars of their own types, which are written with as many digits as they have.
    rows = zip(*([None if v is None or v != v else v for v in column] for column in columns.values()), strict=True)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
    return text.getvalue()


def parquet(figure: Figure) -> bytes:
    """The columns as a Parquet file."""
    from pyarrow import parquet as files

    buffer = io.BytesIO()
    files.write_table(figure_table(figure), buffer)
    return buffer.getvalue()


def npz(figure: Figure) -> bytes:
    """The arrays as an npz file that is read without unpickling; its comment says what is shown, as JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in figure_arrays(figure).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = _about(figure)
    return buffer.getvalue()


def _about(figure: Figure) -> bytes:
    """What the figure shows: its title, view, variants and step."""
    layout: Any = figure.layout
    shown = (layout.meta or {}).get("miscope", {})
    about = {name: shown[name] for name in ("view", "variant", "step", "options") if name in shown}
    return json.dumps({"title": plain(layout.title.text), **about}).encode()


def _joined(parts: Sequence[np.ndarray | None], sizes: Sequence[int]) -> np.ndarray:
    """One column of what each trace has of it."""
    there = [part for part in parts if part is not None]
    if any(part.dtype.hasobject for part in there):
        whole = [np.full(n, None) if p is None else _texts(p) for p, n in zip(parts, sizes, strict=True)]
        return np.concatenate(whole)
    kind = np.result_type(*there)
    lacking = None if kind.kind in "iub" and len(there) < len(parts) else np.nan
    filled = [np.full(n, lacking) if p is None else p for p, n in zip(parts, sizes, strict=True)]
    return np.concatenate([part.astype(object if lacking is None else kind) for part in filled])


def _texts(column: np.ndarray) -> np.ndarray:
    """Numbers as text, where another trace has text under that name."""
    if column.dtype.hasobject:
        return column
    return np.array([None if value != value else str(value) for value in column.tolist()], dtype=object)
