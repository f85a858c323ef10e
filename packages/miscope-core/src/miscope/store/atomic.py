"""Files that appear whole or not at all, so that "it exists" may mean "it is done"."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from platform import node
from typing import BinaryIO

from miscope.errors import CannotWrite

__all__ = [
    "TEMPORARY",
    "check_place",
    "explaining",
    "make_folder",
    "sweep",
    "sync_folder",
    "temporary_folder",
    "unfinished",
    "write_whole",
]

_UNFINISHED = re.compile(r"\..+\.([0-9a-f]{8})-(\d+)\.[0-9a-f]{8}(\.wal)?")


def unfinished(path: Path) -> Path:
    """A name beside `path` that no listing shows and no other writer uses; it says who writes."""
    return path.with_name(f".{path.name}.{_here()}-{os.getpid()}.{secrets.token_hex(4)}")


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """What the system says against writing the path, as CannotWrite; FileExistsError stays what it is."""
    try:
        yield
    except (CannotWrite, FileExistsError):
        raise
    except OSError as error:
        raise CannotWrite(path, error) from error


def make_folder(folder: Path) -> None:
    """Make the folder, and those above it, unless they are there; CannotWrite where a file or a broken link is."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(folder, error) from error


TEMPORARY = Path("A temporary file")
"""What is reported of one that cannot be had; nobody chose its name."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is there for the while; CannotWrite where none can be had."""
    with ExitStack() as stack:
        with explaining(TEMPORARY):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="miscope-"))
        yield Path(folder)


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, over: bool = True, flushed: bool = True) -> Path:
    """Make the file with what `write` puts in it: written aside, flushed to disk, then renamed into place.

    over: replace a file of that name; otherwise FileExistsError. flushed: False for what can be made again, and is
    known to be whole by a checksum. Raises CannotWrite where the system refuses.
    """
    make_folder(path.parent)
    aside = unfinished(path)
    with explaining(path):
        try:
            with aside.open("xb") as file:
                write(file)
                file.flush()
                if flushed:
                    os.fsync(file.fileno())
            if over:
                aside.replace(path)
            else:
                path.hardlink_to(aside)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
        if flushed:
            sync_folder(path.parent)
    return path


def check_place(path: Path) -> None:
    """CannotWrite, before what takes long, where `write_whole` could not make the file; nothing is left there.

    That is a folder, a device or a pipe; in a place below a file; in a folder where the system makes none.
    """
    with explaining(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        # /dev/stdout is a link, in whose place there would be a file.
        if path.exists() and not (path.is_file() and path.absolute().parent != Path("/dev")):
            raise OSError(errno.ENOTSUP, "It is a device or a pipe, and no file", str(path))
        folder = next(above for above in path.absolute().parents if os.path.lexists(above))
        probe = unfinished(folder / path.name)
        probe.touch(exist_ok=False)
        probe.unlink()


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


def sweep(folder: Path, *, deep: bool = True) -> list[Path]:
    """Remove what killed writers left unfinished in the folder, and with `deep` below it; what was found.

    Only what a process of this machine began that runs no more: of others nobody here knows whether they live.
    """
    removed = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if _is_orphan(name):
                removed.append(Path(place, name))
        folders[:] = [name for name in folders if deep and not name.startswith(".")]
    for path in removed:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # another sweeper was faster, or a folder one may only read
                path.unlink()
    return removed


def _is_orphan(name: str) -> bool:
    """Whether the name is of something unfinished whose writer is gone."""
    match = _UNFINISHED.fullmatch(name) if name.startswith(".") else None
    if match is None or match[1] != _here():
        return False
    import psutil

    return not psutil.pid_exists(int(match[2]))


@functools.cache
def _here() -> str:
    """Eight hexadecimal digits of where a process number means a process: the host and, in a container, its own."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return hashlib.blake2b(f"{node()} {numbers}".encode(), digest_size=4).hexdigest()
