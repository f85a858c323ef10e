"""Paths as DuckDB can be given them: it reads *, ? and [ in one as a pattern, and takes a backslash for a slash."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from miscope.store.atomic import TEMPORARY, explaining, sync_folder, temporary_folder, unfinished, write_whole
from miscope.store.layout import Layout

__all__ = ["Place", "made_aside", "quoted", "readable"]

_SPECIAL = re.compile(r"[*?\[\]{}]" if os.sep == "\\" else r"[*?\[\]{}\\]")


class Place(NamedTuple):
    """A workspace by paths without anything special."""

    layout: Layout
    snapshot: Path


@contextmanager
def readable(layout: Layout) -> Iterator[Place]:
    """The workspace by its own paths; or by a link and a copy of the snapshot, there for the while.

    Below its root no name holds anything special: those of variants, analyzers and runs are checked.
    """
    if not _SPECIAL.search(str(layout.root)):
        yield Place(layout, layout.index)
        return
    with temporary_folder() as aside:
        link = aside / "workspace"
        link.symlink_to(layout.root, target_is_directory=True)
        # A copy, since a database is opened by the path that the link leads to.
        snapshot = aside / "index.duckdb"
        with explaining(TEMPORARY):
            if layout.index.exists():
                shutil.copyfile(layout.index, snapshot)
        yield Place(Layout(link), snapshot)


@contextmanager
def made_aside(index: Path) -> Iterator[Path]:
    """Where to write a new database; renamed to the index's own path when it is whole."""
    if _SPECIAL.search(str(index)):
        with temporary_folder() as folder:
            path = folder / "index.duckdb"
            yield path
            with path.open("rb") as made:
                write_whole(index, lambda file: shutil.copyfileobj(made, file))
        return
    path = unfinished(index)
    try:
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(index)
        sync_folder(index.parent)
    finally:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def quoted(path: Path) -> str:
    """The path between the quotes of an SQL text."""
    return str(path).replace("'", "''")
