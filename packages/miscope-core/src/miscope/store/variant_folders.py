"""Which folders of a workspace hold variants, usable or not: nothing that lies there is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Folder", "entries", "stat_of", "variant_folders"]


class Folder(NamedTuple):
    """A folder under variants/<family>/ that has a record, or checkpoints without one."""

    name: str
    """'family/slug', as it can be printed and encoded; a name that had to be altered for that names no variant."""
    path: str
    record: os.stat_result | None
    """Of its variant.json; None where there is none."""


def variant_folders(root: Path) -> Iterator[Folder]:
    """Every such folder, in no order; hidden ones are not looked at."""
    for family in entries(root):
        if family.name.startswith("."):
            continue
        for slug in entries(Path(family.path)):
            record = stat_of(f"{slug.path}/variant.json")
            if slug.name.startswith(".") or (record is None and stat_of(f"{slug.path}/checkpoints") is None):
                continue
            yield Folder(f"{_printable(family.name)}/{_printable(slug.name)}", slug.path, record)


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder; nothing where there is none, or none that can be listed."""
    try:
        with os.scandir(folder) as listing:
            yield from listing
    except OSError:
        return


def stat_of(path: str) -> os.stat_result | None:
    """What is at the path; None where nothing can be reached: absent, a loop of links, behind a file."""
    try:
        return os.stat(path)
    except OSError:
        return None


def _printable(name: str) -> str:
    """The name with what no terminal and no encoding takes (half characters, line ends) written as escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in name)
