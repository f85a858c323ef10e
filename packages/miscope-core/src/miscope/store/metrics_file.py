"""Metrics of a training as Parquet parts: small ones while it runs, merged as they become many.

A part's name says which numbers of parts it stands for ('000000-000031.parquet'), so a reader who comes while parts are
merged sees each row once: a part that lies within another's range is passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from miscope.errors import BadFile
from miscope.snapshot import Series
from miscope.store.atomic import write_whole
from miscope.store.column_numbers import column_numbers
from miscope.store.read_only import read_only

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Part", "Row", "append", "compact", "parts_in", "read", "read_series", "read_whole", "state_of", "truncate"]

Row = tuple[int, str, float]
"""Step, name, value."""

_MANY = 32
_NAME = re.compile(r"(\d+)-(\d+)\.parquet")


class Part(NamedTuple):
    """One Parquet file and the range of part numbers it stands for."""

    first: int
    last: int
    path: Path


def parts_in(folder: Path) -> list[Part]:
    """The parts that together hold every row once, in order."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    parts = [Part(int(m[1]), int(m[2]), folder / m[0]) for name in names if (m := _NAME.fullmatch(name))]
    widest = sorted(parts, key=lambda part: (part.first, -part.last))
    chosen: list[Part] = []
    for part in widest:
        if not chosen or part.last > chosen[-1].last:
            chosen.append(part)
    return chosen


def append(folder: Path, rows: Sequence[Row]) -> None:
    """Add rows as one more part; merges the parts when they have become many."""
    if not rows:
        return
    table = _table(rows)
    while True:
        parts = parts_in(folder)
        number = parts[-1].last + 1 if parts else 0
        # Not over another's part: a second writer takes the next number.
        with suppress(FileExistsError):
            _write(folder, number, number, table, over=False)
            break
    if len(parts) + 1 >= _MANY:
        compact(folder)


def compact(folder: Path) -> None:
    """Merge all parts into one."""
    parts = parts_in(folder)
    if len(parts) > 1:
        _replace(folder, parts, read(folder))


def truncate(folder: Path, after: int) -> None:
    """Drop rows of steps beyond `after`; nothing is written if there are none."""
    parts = parts_in(folder)
    if not parts:
        return
    import pyarrow.compute as pc

    table = read(folder)
    kept = table.filter(pc.less_equal(table["step"], after))  # pyright: ignore[reportAttributeAccessIssue]
    if len(kept) < len(table):
        _replace(folder, parts, kept)


def read(folder: Path) -> pa.Table:
    """Every row, in the order written: step int64, name string, value float64."""
    import pyarrow as pa

    while True:
        parts = parts_in(folder)
        try:
            tables = [_read_part(part.path) for part in parts]
        except FileNotFoundError:
            continue  # merged meanwhile; look again
        return pa.concat_tables([_table(()), *tables])


def read_whole(folder: Path) -> tuple[list[pa.Table], list[Path]]:
    """The rows of every part that can be read, and the parts that cannot."""
    tables: list[pa.Table] = []
    bad: list[Path] = []
    for part in parts_in(folder):
        try:
            tables.append(_read_part(part.path))
        except BadFile:
            bad.append(part.path)
        except FileNotFoundError:
            return read_whole(folder)  # merged meanwhile; look again
    return tables, bad


def read_series(folder: Path) -> dict[str, Series]:
    """One series per name, steps ascending; of two rows for a step the one written last counts."""
    table = read(folder)
    steps, values = column_numbers(table["step"], np.int64), column_numbers(table["value"], np.float64)
    encoded = table["name"].combine_chunks().dictionary_encode()
    names, which = encoded.dictionary.to_pylist(), column_numbers(encoded.indices, np.int32)
    series = {}
    for name, number in sorted((name, number) for number, name in enumerate(names)):
        rows = np.flatnonzero(which == number)
        rows = rows[np.argsort(steps[rows], kind="stable")]
        last = np.append(steps[rows][1:] != steps[rows][:-1], True)
        series[name] = Series(steps=read_only(steps[rows[last]]), values=read_only(values[rows[last]]))
    return series


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("step", pa.int64()), ("name", pa.string()), ("value", pa.float64())])


def _table(rows: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    steps, names, values = zip(*rows, strict=True) if rows else ((), (), ())
    words = [name.encode() for name in names]
    ends = np.cumsum([0, *map(len, words)], dtype=np.int32)

    # Of buffers, since pa.array imports pandas where it is installed, and that takes a second.
    def column(kind: pa.DataType, *buffers: object) -> pa.Array:
        return pa.Array.from_buffers(kind, len(rows), [None, *(pa.py_buffer(buffer) for buffer in buffers)])

    columns = [
        column(pa.int64(), np.array(steps, dtype=np.int64)),
        column(pa.string(), ends, b"".join(words)),
        column(pa.float64(), np.array(values, dtype=np.float64)),
    ]
    return pa.Table.from_arrays(columns, schema=_schema())


def _read_part(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read(["step", "name", "value"]).cast(_schema())
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BadFile(path, f"It is no Parquet file of metrics: {reason}", "Delete it; its steps are lost.") from None


def _write(folder: Path, first: int, last: int, table: pa.Table, *, over: bool) -> None:
    import pyarrow.parquet as pq

    path = folder / f"{first:06d}-{last:06d}.parquet"
    write_whole(path, lambda file: pq.write_table(table, file), over=over)


def _replace(folder: Path, parts: Sequence[Part], table: pa.Table) -> None:
    first, last = parts[0].first, parts[-1].last
    _write(folder, first, last, table, over=True)
    for name in os.listdir(folder):
        match = _NAME.fullmatch(name)
        covers = (int(match[1]), int(match[2])) if match else (first, last)
        if covers != (first, last) and first <= covers[0] and covers[1] <= last:
            (folder / name).unlink(missing_ok=True)


def state_of(folder: Path) -> tuple[tuple[str, int], ...]:
    """Names and times of a variant's parts, which change with its metrics; () where there are none."""
    for _ in range(5):
        try:
            return tuple((part.path.name, part.path.stat().st_mtime_ns) for part in parts_in(folder))
        except FileNotFoundError:  # merged meanwhile
            continue
    return ()
