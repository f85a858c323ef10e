"""What the published snapshot does not hold yet: newer ledger lines, records and metrics, as tables beside it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError
from miscope.index_schema import LINE
from miscope.index_survey import Survey
from miscope.metrics_file import parts_in, read
from miscope.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["fill_metrics", "fill_variants", "read_lines", "whole_bytes"]

_BLOCK = 1 << 16


def read_lines(database: DuckDBPyConnection, folder: Path, begins: Mapping[str, int]) -> dict[str, int]:
    """Make the table `lines` of these ledger files from these bytes on; return up to where each was read.

    A line that is torn or is no JSON object is left out.
    """
    ends = {name: whole_bytes(folder / name) for name in begins}
    whole = [str(folder / name) for name, begin in begins.items() if begin == 0]
    columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in LINE.items()) + "}"
    database.execute("CREATE OR REPLACE TEMP TABLE lines (" + ", ".join(f"{n} {k}" for n, k in LINE.items()) + ")")
    with tempfile.TemporaryDirectory(prefix="miscope-") as aside:
        tail = Path(aside) / "tail.jsonl"
        with tail.open("wb") as file:
            for name, begin in begins.items():
                if begin > 0:
                    file.write(_between(folder / name, begin, ends[name]))
        paths = [*whole, *([str(tail)] if tail.stat().st_size else [])]
        if paths:
            database.execute(
                f"INSERT INTO lines SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns}, "
                "ignore_errors = true) WHERE event IS NOT NULL AND time IS NOT NULL AND variant IS NOT NULL",
                [paths],
            )
    return ends


def whole_bytes(path: Path) -> int:
    """Bytes of the file up to and with its last newline."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0


def _between(path: Path, begin: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(end - begin)


def fill_variants(database: DuckDBPyConnection, store: Store, changed: Survey) -> None:
    """Put the records that changed into tail.variants; one that cannot be read is left out."""
    rows = list(_records(store, changed))
    if rows:
        columns = ", ".join("unnest(?::VARCHAR[])" for _ in rows[0])
        database.execute(f"INSERT INTO tail.variants SELECT {columns}", [list(c) for c in zip(*rows, strict=True)])


def _records(store: Store, changed: Survey) -> Iterator[tuple[str, ...]]:
    """Rows of the table `variants`."""
    for name in changed.records:
        try:
            record = store.variant_record(name)
        except MiscopeError:
            continue
        described = (json.dumps(value) for value in (record.params, record.training, record.facts))
        yield name, record.family, record.slug, record.digest, *described


def fill_metrics(database: DuckDBPyConnection, store: Store, changed: Survey) -> None:
    """Put all metrics of the variants where some changed into tail.metrics, and their names into tail.changed."""
    import duckdb

    names = list(changed.metrics)
    database.execute("CREATE TABLE tail.changed (variant VARCHAR)")
    if not names:
        return
    database.execute("INSERT INTO tail.changed SELECT unnest(?)", [names])
    parts = [(str(part.path), name) for name in names for part in parts_in(store.layout.metrics(name))]
    if not parts:
        return
    paths, owners = (list(column) for column in zip(*parts, strict=True))
    try:
        database.execute(
            "INSERT INTO tail.metrics SELECT variant, step, name, value FROM read_parquet(?, filename = true) "
            "JOIN (SELECT unnest(?) AS filename, unnest(?) AS variant) USING (filename)",
            [paths, paths, owners],
        )
    except duckdb.Error:
        # A file is bad, or was merged into another meanwhile: one by one, so that it costs its own variant at most.
        _fill_one_by_one(database, store, names)


def _fill_one_by_one(database: DuckDBPyConnection, store: Store, names: list[str]) -> None:
    for name in names:
        try:
            table = read(store.layout.metrics(name))
        except MiscopeError:
            continue
        database.register("one", table)
        database.execute("INSERT INTO tail.metrics SELECT ?, step, name, value FROM one", [name])
        database.unregister("one")
