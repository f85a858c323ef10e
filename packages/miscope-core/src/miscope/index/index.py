"""Questions in SQL over everything in a workspace: a published DuckDB snapshot, and what is newer than it.

DuckDB lets one process write a file and locks out all others meanwhile. So a published snapshot is never written
again: the next one is built aside and renamed into its place.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, final

from miscope.errors import BadValue, CannotWrite
from miscope.index.limits import MEMORY, SECONDS, limited
from miscope.index.place import made_aside, quoted
from miscope.index.schema import SCHEMA, TABLES, column, create
from miscope.index.views import COVERAGE, show_all
from miscope.store.atomic import explaining, make_folder, sweep
from miscope.store.store import Store

if TYPE_CHECKING:
    import pyarrow
    from duckdb import DuckDBPyConnection

__all__ = ["Answer", "Index"]


class Answer(NamedTuple):
    """Rows, and what the reader of them should know."""

    rows: pyarrow.Table
    problems: Mapping[str, str]
    """Variant -> why it, or some of its numbers, are not among what was asked."""


@final
@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked, and within which bounds."""

    statement: str
    seconds: float
    beside: Mapping[str, pyarrow.Table] = field(default_factory=dict)


@final
class Index:
    """The tables variants, runs, checkpoints, artifacts, metrics and scalars of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(
        self, sql: str, *, seconds: float = SECONDS, beside: Mapping[str, pyarrow.Table] | None = None
    ) -> pyarrow.Table:
        """The answer to one SELECT, as of now; BadValue for anything else, and for one that takes too much.

        Columns of one name are told apart by a number. No file can be read or written by the question.

        beside: tables by name that can be asked too, of names that the index has not.
        """
        return self._answer(_Question(statement=_only_question(sql), seconds=seconds, beside=beside or {})).rows

    def answer(self, sql: str, *, seconds: float = SECONDS) -> Answer:
        """The answer as `ask` gives it, with what is wrong in the workspace."""
        return self._answer(_Question(statement=_only_question(sql), seconds=seconds))

    def _answer(self, question: _Question) -> Answer:
        import duckdb

        sweep(self._store.root, deep=False)
        try:
            # The snapshot may be damaged where nothing but this question reads; it is derived: made of the files again.
            # And where the disk is full, or the workspace may only be read, none is published.
            for anew, publishing in ((False, True), (True, True)):
                try:
                    return self._answered(question, anew=anew, publishing=publishing)
                except OSError:
                    continue
                except duckdb.Error as error:
                    if not _is_damage(error):
                        raise
            return self._answered(question, anew=True, publishing=False)
        except (duckdb.InterruptException, duckdb.OutOfMemoryException, MemoryError) as error:
            raise _too_much(error, question.seconds) from None
        except duckdb.Error as error:
            raise _refused(str(error)) from None

    def _answered(self, question: _Question, *, anew: bool, publishing: bool) -> Answer:
        import duckdb

        with closing(duckdb.connect()) as database:
            # A question makes no folder: it may have been asked of a mistyped one.
            there = self._store.root.is_dir()
            if show_all(database, self._store, anew=anew) and publishing and there:
                self._publish(database)
            problems = _problems(database)
            _put_beside(database, question.beside)
            with limited(database, seconds=question.seconds):
                database.execute("SET enable_external_access = false")
                database.execute("SET python_enable_replacements = false")
                database.execute("SET lock_configuration = true")
                return Answer(_distinct_columns(database.sql(question.statement).to_arrow_table()), problems)

    def rebuild(self) -> Mapping[str, str]:
        """Build the snapshot anew from the files and the ledgers, and publish it; what is wrong, by variant.

        Raises CannotWrite where it cannot be published.
        """
        import duckdb

        with closing(duckdb.connect()) as database:
            show_all(database, self._store, anew=True)
            self._publish(database)
            return _problems(database)

    def _publish(self, database: DuckDBPyConnection) -> None:
        """Write what the views show into a new file and rename it into place."""
        import duckdb

        path = self._store.layout.index
        make_folder(self._store.root)
        sweep(self._store.root, deep=False)
        with explaining(path):
            try:
                with made_aside(path) as aside:
                    database.execute(f"ATTACH '{quoted(aside)}' AS fresh")
                    _write_tables(database)
                    database.execute("DETACH fresh")
            except (duckdb.IOException, duckdb.FatalException) as error:
                raise CannotWrite(path, _of_the_system(error)) from error


def _put_beside(database: DuckDBPyConnection, tables: Mapping[str, pyarrow.Table]) -> None:
    """Have these tables beside the index's own, as copies: what a question may read is not changed meanwhile."""
    for name, rows in tables.items():
        database.register("given", rows)
        database.execute(f"CREATE TEMP TABLE {column(name)} AS FROM given")
        database.unregister("given")


def _of_the_system(error: Exception) -> OSError:
    """The refusal of the system that DuckDB puts into a sentence of its own."""
    words = str(error).splitlines()[0]
    number = next((number for number in errno.errorcode if os.strerror(number) in words), None)
    return OSError(words) if number is None else OSError(number, os.strerror(number))


def _is_damage(error: Exception) -> bool:
    """Whether the error is of the database's file, not of the question."""
    import duckdb

    kinds = (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException)
    return type(error) is duckdb.Error or isinstance(error, kinds)


def _write_tables(database: DuckDBPyConnection) -> None:
    # A table has no order; keeping one would have a single thread write.
    database.execute("SET preserve_insertion_order = false")
    create(database, "fresh.main")
    for table in TABLES:
        database.execute(f"INSERT INTO fresh.main.{table} FROM main.{table}")
    database.execute("CREATE SCHEMA fresh.coverage")
    for table in COVERAGE:
        database.execute(f"CREATE TABLE fresh.coverage.{table} AS FROM tail.covered_{table}")
    database.execute(f"CREATE TABLE fresh.coverage.format AS SELECT {SCHEMA} AS schema")
    database.execute("SET preserve_insertion_order = true")


def _problems(database: DuckDBPyConnection) -> dict[str, str]:
    query = "SELECT variant, problem FROM variants WHERE problem IS NOT NULL ORDER BY variant"
    return dict(database.execute(query).fetchall())


def _distinct_columns(table: pyarrow.Table) -> pyarrow.Table:
    """The table with a number after each column's name that stood before: two of one name would be read as one."""
    names: list[str] = []
    for name in table.column_names:
        taken = {*names, *table.column_names}
        numbered = (f"{name}_{n}" for n in range(2, len(taken) + 3))
        names.append(name if name not in names else next(n for n in numbered if n not in taken))
    return table.rename_columns(names)


def _only_question(sql: str) -> str:
    """The statement, if it is one and reads only."""
    import duckdb

    try:
        sql.encode()
        statements = duckdb.extract_statements(sql)
    except UnicodeEncodeError as error:
        raise _refused(f"It has a sign that is no text: {sql[error.start]!r}.") from None
    except duckdb.Error as error:
        raise _refused(str(error)) from None
    kinds = [statement.type for statement in statements]
    if kinds in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
        return statements[0].query
    listed = ", ".join(kind.name for kind in kinds) or "nothing"
    raise BadValue(
        f"The index answers one SELECT; this is {listed}.",
        "It is derived from the files of the workspace, so there is nothing to change in it.",
        "Ask one question at a time:  SELECT variant, min(step) FROM scalars GROUP BY variant",
    )


def _refused(message: str) -> BadValue:
    lines = [line for line in message.strip().splitlines() if line.strip()]
    tables = "; ".join(f"{table} ({', '.join(map(column, columns))})" for table, columns in TABLES.items())
    return BadValue(
        f"The question cannot be answered. {' '.join(lines[:2])}",
        f"The tables are: {tables}.",
        "Change the question; `DESCRIBE scalars` gives a table's types.",
    )


def _too_much(error: Exception, seconds: float) -> BadValue:
    import duckdb

    late = isinstance(error, duckdb.InterruptException)
    what, bound = ("time", f"{seconds:g} seconds") if late else ("memory", f"{MEMORY / 2**30:g} GiB")
    return BadValue(
        f"The question takes too much {what}.",
        f"It was stopped at {bound}; nothing was changed by it.",
        "Ask for less: an aggregate, a LIMIT, fewer rows on both sides of a join.",
    )
