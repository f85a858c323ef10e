"""Which files are meant by the paths somebody gives: checkpoint files, or the folders that hold them."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from miscope.errors import BadFile, BadValue

__all__ = ["SUFFIXES", "checkpoint_files"]

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
"""In upper or lower case."""

_TODO = "Give checkpoint files, or a folder of them."
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def checkpoint_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """The files, those of a folder by name, each once.

    Raises BadFile for what is not there, no regular file, or of another suffix; BadValue where nothing is given.
    """
    files: list[Path] = []
    for given in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(given).expanduser()
        files += _inside(path) if _kind(path) == stat.S_IFDIR else [_checked(path)]
    if not files:
        raise BadValue("There is nothing to adopt.", "No path was given.", _TODO)
    return list(dict.fromkeys(files))


def _inside(folder: Path) -> list[Path]:
    try:
        held = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise _unreachable(folder, error) from None
    files = [_checked(path) for path in held if _kind(path) != stat.S_IFDIR]
    if not files:
        raise BadFile(folder, f"It holds no {', '.join(SUFFIXES)} file.", _TODO)
    return files


def _checked(path: Path) -> Path:
    kind = _kind(path)
    if kind != stat.S_IFREG:
        # A pipe would be waited for without end, a device read without end.
        raise BadFile(path, f"It is {_KINDS.get(kind, 'something else')}, not a regular file.", _TODO)
    if path.suffix.lower() not in SUFFIXES:
        raise BadFile(path, f"Its name ends in none of {', '.join(SUFFIXES)}.", "Give checkpoint files.")
    return path


def _kind(path: Path) -> int:
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        raise BadFile(path, "It is not there.", _TODO) from None
    except (OSError, ValueError) as error:
        raise _unreachable(path, error) from None


def _unreachable(path: Path, error: OSError | ValueError) -> BadFile:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadFile(path, f"It cannot be reached: {reason}.", _TODO)
