"""Files that appear whole or not at all, so that "it exists" may mean "it is done"."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["sync_folder", "unfinished", "write_whole"]


def unfinished(path: Path) -> Path:
    """A name beside `path` that no listing shows and no other writer uses."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, over: bool = True) -> Path:
    """Make the file with what `write` puts in it: written aside, flushed to disk, then renamed into place.

    over: replace a file of that name; otherwise FileExistsError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = unfinished(path)
    try:
        with aside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if over:
            aside.replace(path)
        else:
            path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)
    return path


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
