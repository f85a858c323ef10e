"""Whether an archive can be what `miscope bundle` writes, before a byte of its files is read: names, kinds, sizes."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Sequence

from miscope.exporting.bundle_manifest import MANIFEST, Manifest, is_part
from miscope.store.layout import is_name

__all__ = ["problem_of", "problem_of_manifest"]

_LARGEST_MANIFEST = 256 * 2**20
_RATIO = 100
"""Bytes that one byte of the archive may become; JSON of a ledger becomes thirty."""
_ENCRYPTED = 0x1


def problem_of_manifest(info: zipfile.ZipInfo) -> str:
    """Why the manifest is not to be read; "" where nothing speaks against it."""
    if info.file_size > _LARGEST_MANIFEST or _inflates(info):
        return f"{MANIFEST} in it becomes {info.file_size:,} bytes, which no manifest is."
    return _odd(info)


def problem_of(members: Sequence[zipfile.ZipInfo], manifest: Manifest, size: int) -> str:
    """Why the archive, of so many bytes, is not what its manifest says; "" where it is."""
    counts = Counter(info.filename for info in members)
    names = {variant.name for variant in manifest.variants}
    if twice := [name for name, count in counts.items() if count > 1]:
        return f"It holds {twice[0]!r} twice."
    if bad := [name for name in names if not is_name(name)]:
        return f"{bad[0]!r} is no name of a variant."
    for name in (*counts, *manifest.files):
        if name != MANIFEST and not is_part(name, names):
            return f"It holds {name!r}, which is no file of a variant or a run in it."
    if lost := sorted(manifest.files.keys() - counts.keys()):
        return f"It lacks {lost[0]!r}, which its manifest lists."
    if more := sorted(counts.keys() - manifest.files.keys() - {MANIFEST}):
        return f"It holds {more[0]!r}, which its manifest does not list."
    if lacking := [name for name in names if f"variants/{name}/variant.json" not in manifest.files]:
        return f"It holds no record of {sorted(lacking)[0]}."
    if sum(info.compress_size for info in members) > size:
        return "Its files overlap."
    return next(filter(None, (_unlike(info, manifest) or _odd(info) for info in members)), "")


def _unlike(info: zipfile.ZipInfo, manifest: Manifest) -> str:
    said = manifest.files.get(info.filename)
    if said is not None and said.size != info.file_size:
        return f"{info.filename!r} in it has {info.file_size:,} bytes; its manifest says {said.size:,}."
    return f"{info.filename!r} in it becomes {info.file_size:,} bytes of {info.compress_size:,}." * _inflates(info)


def _inflates(info: zipfile.ZipInfo) -> bool:
    """Whether it becomes so much more that no file of a run does."""
    return info.file_size > 2**20 and info.file_size > _RATIO * info.compress_size


def _odd(info: zipfile.ZipInfo) -> str:
    """What it is other than an ordinary file."""
    mode = info.external_attr >> 16
    if info.is_dir() or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
        return f"{info.filename!r} in it is no ordinary file."
    if info.flag_bits & _ENCRYPTED:
        return f"{info.filename!r} in it is encrypted."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"{info.filename!r} in it is compressed in a way that no bundle is."
    return ""
