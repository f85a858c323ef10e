"""The file that --out names: looked at before the work, and written whole; what is no plain file is written into."""

from __future__ import annotations

from pathlib import Path

from miscope.store.atomic import check_place, explaining, write_whole

__all__ = ["check_out", "write_out"]


def check_out(out: Path | None) -> None:
    """CannotWrite, before anything is computed, where the answer could not be written; None is standard output."""
    if out is not None and not _is_stream(out):
        check_place(out)


def write_out(out: Path, content: bytes) -> None:
    """Write the answer there. Raises CannotWrite."""
    if not _is_stream(out):
        write_whole(out, lambda file: file.write(content))
        return
    with explaining(out):
        out.write_bytes(content)


def _is_stream(out: Path) -> bool:
    with explaining(out):
        return out.exists() and not out.is_dir() and (out.is_symlink() or not out.is_file())
