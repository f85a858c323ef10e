"""The queue's file: SQLite with a write-ahead log, so that one process writes while others read."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import final

from miscope.commands import in_workspace
from miscope.errors import BadFile, CannotWrite, MiscopeError
from miscope.runs.journal_tables import JOURNAL
from miscope.store.atomic import make_folder

__all__ = ["Database", "is_whole", "numbered"]

_FORMAT = 3
_WAIT = 30.0
"""Seconds that one waits for another's transaction, each of which takes milliseconds."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request TEXT NOT NULL,
    what TEXT NOT NULL,
    trains TEXT NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    retry_of INTEGER,
    attempt INTEGER NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    host TEXT,
    pid INTEGER,
    born REAL,
    turn INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    save INTEGER NOT NULL DEFAULT 0,
    reached TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    deleted INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '',
    notes TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE IF NOT EXISTS needs (
    run INTEGER NOT NULL REFERENCES runs (id),
    needed INTEGER NOT NULL REFERENCES runs (id),
    PRIMARY KEY (run, needed)
);
CREATE INDEX IF NOT EXISTS runs_by_state ON runs (state, priority DESC, id);
"""
"""trains: the variant that it trains, '' for an analysis. turn: how often a process began to work on it."""


@final
class Database:
    """One connection, shared by the threads of a process."""

    def __init__(self, path: Path, runs: Path) -> None:
        """runs: the folder with a folder for each run, which are never there without the file."""
        self.path, self._runs = path, runs
        self._log = path.with_name(f"{path.name}-wal")
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened_file: int | None = None

    @property
    def lost(self) -> bool:
        """Whether the file is gone although there are runs."""
        return not self.path.exists() and next(iter(numbered(self._runs)), None) is not None

    @contextmanager
    def transaction(self, *, anew: bool = False) -> Iterator[sqlite3.Connection]:
        """Everything in the `with`, or nothing of it; nobody else writes meanwhile.

        anew: make the file where it is lost. Raises BadFile where it is damaged or lost, CannotWrite where the system
        refuses.
        """
        with self._turn, _explaining(self.path), self._opened(anew=anew) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The answer to one SELECT; [] where there is no queue yet. Raises as `transaction` does."""
        if not self.path.exists() and not self.lost:
            return []
        with self._turn, _explaining(self.path):
            try:
                return self._opened().execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                refusal = _refusal_of(error)
                if refusal == errno.ENOSPC:
                    self.close()
                    return _read_alone(self.path, sql, values)
                if refusal not in (errno.EROFS, errno.EACCES) or self._log.exists():
                    raise
                return _only_read(self.path, sql, values)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self, *, anew: bool = False) -> sqlite3.Connection:
        if self._connection is not None and _number_of(self.path) != self._opened_file:
            self.close()  # it was made anew: what one wrote into the old file nobody would read
        if self._connection is None:
            if self.lost and not anew:  # an empty one in its place would give the runs' numbers to others
                raise _unusable(self.path, "It is gone, and the runs are there")
            make_folder(self.path.parent)
            self._connection = _connected(self.path)
            self._opened_file = _number_of(self.path)
        return self._connection


def _number_of(path: Path) -> int | None:
    """The number that the file system has for it; None where it is not there."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _read_alone(path: Path, sql: str, values: Sequence[object]) -> list[sqlite3.Row]:
    """The answer where there is no room for the memory that those who have the file open share: nobody else has."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
            return []  # there was no room to make the tables either
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def _only_read(path: Path, sql: str, values: Sequence[object]) -> list[sqlite3.Row]:
    """The answer where nobody can write, and so nobody else does."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def numbered(runs: Path) -> list[int]:
    """The numbers of the runs that have a folder there, from the first."""
    return sorted(int(path.name) for path in runs.iterdir() if path.name.isdigit()) if runs.is_dir() else []


def is_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong in the file; so is one that is not there."""
    if not path.exists():
        return True
    try:
        connection = sqlite3.connect(path, timeout=_WAIT)
        connection.text_factory = bytes  # in a damaged file it is none
        try:
            sound = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == b"ok"
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            return sound and (not names or {b"runs", b"needs"} <= names)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        refusal = _refusal_of(error)
        if refusal is not None:
            raise CannotWrite(path, OSError(refusal, str(error))) from error
        return False
    except UnicodeDecodeError:  # of SQLite's own message, which quotes what is damaged
        return False


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    with ExitStack() as opened:
        opened.callback(connection.close)
        known = connection.execute("PRAGMA user_version").fetchone()[0]
        if known > _FORMAT:
            raise BadFile(path, "A later version of miscope wrote it.", "Use that version, or another workspace.")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if known < _FORMAT:
            _add_labels(connection)
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {JOURNAL} PRAGMA user_version = {_FORMAT}; COMMIT;")
        opened.pop_all()
    return connection


def _add_labels(connection: sqlite3.Connection) -> None:
    """To the runs of a file that is older than they are.

    A supervisor of older code goes on without them, since it has the file open, and so do the runs that it starts
    where miscope was upgraded in its place. Runs of older code that lies elsewhere refuse the file, as any later one.
    """
    connection.execute("BEGIN IMMEDIATE")
    there = {row["name"] for row in connection.execute("PRAGMA table_info(runs)")}
    for name, default in {"name": "''", "notes": "''", "tags": "'[]'"}.items():
        if there and name not in there:
            connection.execute(f"ALTER TABLE runs ADD COLUMN {name} TEXT NOT NULL DEFAULT {default}")
    connection.execute("COMMIT")


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """What SQLite cannot do, as an error that says what to do."""
    try:
        yield
    except (MiscopeError, sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except OSError as error:
        raise CannotWrite(path, error) from error
    except UnicodeDecodeError:  # of SQLite's own message, which quotes what is damaged
        raise _unusable(path, "It is damaged: it holds what no text is") from None
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise MiscopeError(
                f"{path} cannot be written just now.",
                f"Another process has held it for {_WAIT:.0f} seconds.",
                "Give the same command again.",
            ) from None
        refusal = _refusal_of(error)
        if refusal is not None:
            raise CannotWrite(path, OSError(refusal, str(error))) from error
        raise _unusable(path, f"It is damaged: {error}") from None


def _unusable(path: Path, how: str) -> BadFile:
    again = in_workspace(path.parent, "miscope runs rebuild")
    return BadFile(path, f"{how}.", f"To make it anew from what the runs left:  {again}")


def _refusal_of(error: sqlite3.DatabaseError) -> int | None:
    """What the system calls it, where that refused; None where something is wrong with the file, or not known."""
    name = getattr(error, "sqlite_errorname", "")  # some of SQLite's errors have none
    if name in _OF_THE_FILE:
        return None
    return next((number for start, number in _NUMBERS.items() if name.startswith(start)), None)


_OF_THE_FILE = ("SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")
_NUMBERS: Mapping[str, int] = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE_IOERR_WRITE": errno.ENOSPC,
    "SQLITE_IOERR_SHMSIZE": errno.ENOSPC,
    "SQLITE_IOERR": errno.EIO,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_CANTOPEN": errno.EACCES,
    "SQLITE_PERM": errno.EPERM,
    "SQLITE_NOMEM": errno.ENOMEM,
}
"""What the system calls what SQLite reports, by how the names of that begin; the first that fits."""
