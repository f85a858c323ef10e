"""A report that a server writes, as a file here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from miscope.remote.connection import Connection
from miscope.store.atomic import check_place, write_whole

__all__ = ["written_report"]


def written_report(
    connection: Connection, names: Sequence[str], path: str | Path, *, views: Sequence[str] = (), title: str = ""
) -> Path:
    """Write what is known of the variants of these names; the suffix of the path says how: html, md, pdf, ipynb.

    views: names or patterns; () for those that ask for a place in reports. Refused for another suffix and where there
    is no such variant; CannotWrite before it is asked for.
    """
    path = Path(path)
    check_place(path)
    asked = {"variant": [*names], "views": [*views] or None, "title": title or None}
    content = connection.content(f"report/{path.suffix.removeprefix('.').lower() or 'none'}", asked)
    return write_whole(path, lambda file: file.write(content))
