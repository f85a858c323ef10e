"""What the published snapshot does not hold yet: newer ledger lines, records and metrics, as tables beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError, Misplaced
from miscope.index.schema import LINE
from miscope.jsonable import jsonable
from miscope.store.atomic import TEMPORARY, explaining, temporary_folder
from miscope.store.layout import Layout
from miscope.store.metrics_file import parts_in, read_whole
from miscope.store.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["fill_metrics", "fill_variants", "misplaced", "read_lines", "whole_bytes"]

_BLOCK = 1 << 16


def read_lines(database: DuckDBPyConnection, folder: Path, begins: Mapping[str, int]) -> dict[str, int]:
    """Make the table `lines` of these ledger files from these bytes on; return up to where each was read.

    A line that is torn or is no JSON object is left out.
    """
    ends = {name: whole_bytes(folder / name) for name in begins}
    whole = [str(folder / name) for name, begin in begins.items() if begin == 0]
    columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in LINE.items()) + "}"
    database.execute("CREATE OR REPLACE TEMP TABLE lines (" + ", ".join(f"{n} {k}" for n, k in LINE.items()) + ")")
    rest = b"".join(_between(folder / name, begin, ends[name]) for name, begin in begins.items() if begin > 0)
    with _as_file(rest) as tail:
        paths = [*whole, *tail]
        if paths:
            database.execute(
                f"INSERT INTO lines SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns}, "
                "ignore_errors = true) WHERE event IS NOT NULL AND time IS NOT NULL AND variant IS NOT NULL",
                [paths],
            )
    return ends


@contextmanager
def _as_file(content: bytes) -> Iterator[list[str]]:
    """Where DuckDB can read it, if there is anything; CannotWrite where no temporary file can be had."""
    if not content:
        yield []
        return
    with temporary_folder() as folder:
        with explaining(TEMPORARY):
            (folder / "tail.jsonl").write_bytes(content)
        yield [str(folder / "tail.jsonl")]


def whole_bytes(path: Path) -> int:
    """Bytes of the file up to and with its last newline."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            at = file.read(end - begin).rfind(b"\n")
            if at >= 0:
                return begin + at + 1
            end = begin
    return 0


def _between(path: Path, begin: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(end - begin)


def fill_variants(database: DuckDBPyConnection, store: Store, names: Iterable[str], bad: Mapping[str, str]) -> None:
    """Put these variants' rows into tail.variants; one that cannot be read is there with its problem.

    bad: what is wrong with a variant beside its record.
    """
    rows = [_row(store, name, bad.get(name)) for name in names]
    if rows:
        columns = ", ".join("unnest(?::VARCHAR[])" for _ in rows[0])
        database.execute(f"INSERT INTO tail.variants SELECT {columns}", [list(c) for c in zip(*rows, strict=True)])


def _row(store: Store, name: str, problem: str | None) -> tuple[str | None, ...]:
    """A row of the table `variants`."""
    family, _, slug = name.partition("/")
    try:
        record = store.variant_record(name)
    except MiscopeError as error:
        return name, family, slug, None, None, None, None, " ".join(str(error).split("\n"))
    if record.written_as != name:
        problem = " ".join(str(Misplaced(store.layout.variant(name), name, record.written_as)).split("\n"))
    described = (json.dumps(jsonable(value)) for value in (record.params, record.training, record.facts))
    return name, family, slug, record.digest, *described, problem


def misplaced(store: Store, names: Iterable[str]) -> set[str]:
    """Of these names, those whose folders have the record of another variant."""
    elsewhere = set()
    for name in names:
        with suppress(MiscopeError):
            if store.variant_record(name).written_as != name:
                elsewhere.add(name)
    return elsewhere


def fill_metrics(
    database: DuckDBPyConnection, layout: Layout, changed: Collection[str], others: Collection[str]
) -> dict[str, str]:
    """Put all metrics of the variants where some changed into tail.metrics, and their names into tail.changed.

    others: whose folders are another's, so that there are none of theirs. Returns what could not be read, by variant.
    """
    import duckdb

    database.execute("CREATE TABLE tail.changed AS SELECT unnest(?::VARCHAR[]) AS variant", [list(changed)])
    names = [name for name in changed if name not in others]
    parts = [(str(part.path), name) for name in names for part in parts_in(layout.metrics(name))]
    if not parts:
        return {}
    paths, owners = (list(column) for column in zip(*parts, strict=True))
    try:
        database.execute(
            "INSERT INTO tail.metrics SELECT variant, step, name, value FROM read_parquet(?, filename = true) "
            "JOIN (SELECT unnest(?) AS filename, unnest(?) AS variant) USING (filename)",
            [paths, paths, owners],
        )
    except duckdb.Error:
        # A file is bad, or was merged into another meanwhile: one by one, so that it costs its own rows at most.
        problems = {name: _fill_one(database, layout.metrics(name), name) for name in names}
        return {name: problem for name, problem in problems.items() if problem}
    return {}


def _fill_one(database: DuckDBPyConnection, folder: Path, name: str) -> str:
    """Put in what can be read of one variant; what is wrong with the rest."""
    tables, bad = read_whole(folder)
    for table in tables:
        database.register("one", table)
        database.execute("INSERT INTO tail.metrics SELECT ?, step, name, value FROM one", [name])
        database.unregister("one")
    return "; ".join(f"metrics/{error.name} is damaged, its rows are left out" for error in bad)
