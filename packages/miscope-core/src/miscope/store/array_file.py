"""An artifact's arrays as an uncompressed npz file, which NumPy alone can read."""

from __future__ import annotations

import io
import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import numpy as np

from miscope.artifact import Arrays, ArtifactKey, is_scalar
from miscope.errors import BadFile, BadValue
from miscope.store.atomic import write_whole
from miscope.store.npy import SMALL, read_npy, write_npy

__all__ = ["BROKEN", "read_arrays", "read_key", "write_arrays"]

BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, TypeError, OSError, EOFError, KeyError, IndexError),
    *(
        tokenize.TokenError,
        NotImplementedError,
        RuntimeError,
        SyntaxError,
        MemoryError,
        OverflowError,
        AttributeError,
        AssertionError,
    ),
)
"""What garbled archives and array headers make zipfile and NumPy raise."""


def write_arrays(path: Path, arrays: Arrays, key: ArtifactKey) -> Path:
    """The arrays under their names; the key goes into the archive's comment, so that the file says what it is."""
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in plain.items():
        if array.dtype.hasobject:
            raise BadValue(
                f"{key.analyzer!r} returned {name!r} as an array of Python objects.",
                "Artifacts hold numbers, booleans and fixed-width text, which no reader has to unpickle.",
                "Return an array of one of these types.",
            )
        if array.ndim == 0 and not is_scalar(array):
            raise BadValue(
                f"{key.analyzer!r} returned {name!r} as a single value of type {array.dtype}.",
                "A 0-d output is a scalar, a row of the index, and so a real number or a truth value.",
                "Return text as an array of one element, and a complex number as two.",
            )

    def write(file: BinaryIO) -> None:
        # zipfile goes back to the head of each member, which on a file means writing what was kept back.
        small = sum(array.nbytes for array in plain.values()) <= SMALL
        archived = io.BytesIO() if small else file
        with zipfile.ZipFile(archived, "w", zipfile.ZIP_STORED) as archive:
            for name, array in plain.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    write_npy(member, array)
            archive.comment = json.dumps({**asdict(key), "checksum": _checksum(key)}, sort_keys=True).encode()
        if isinstance(archived, io.BytesIO):
            file.write(archived.getbuffer())

    return write_whole(path, write)


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """All arrays of the file, or only those; BadFile if it is truncated, foreign or lacks one."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = [member.removesuffix(".npy") for member in archive.namelist()]
            wanted = held if names is None else [name for name in held if name in names]
            missing = sorted(set(names or ()) - set(held))
            if missing:
                raise BadFile(path, f"It holds no array {missing[0]!r}, but: {', '.join(held)}.", _TODO)
            return {name: _member(archive, name) for name in wanted}
    except FileNotFoundError:
        raise
    except BROKEN as error:
        raise BadFile(path, f"It is no complete npz file of plain arrays: {error}.", _TODO) from None


def read_key(path: Path) -> ArtifactKey:
    """The key the file was saved under."""
    try:
        with zipfile.ZipFile(path) as archive:
            fields = json.loads(archive.comment)
        # Files from before there were checksums have none.
        checksum = fields.pop("checksum", None)
        key = ArtifactKey(**fields)
        if checksum not in (None, _checksum(key)):
            raise ValueError("it does not fit its checksum")
        return key
    except FileNotFoundError:
        raise
    except BROKEN as error:
        raise BadFile(path, f"It does not say which artifact it is: {error}.", _TODO) from None


_TODO = "Delete it and run `miscope analyze` again; it is computed anew."


def _checksum(key: ArtifactKey) -> str:
    return f"{zlib.crc32(json.dumps(asdict(key), sort_keys=True).encode()):08x}"


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    described = archive.getinfo(f"{name}.npy")
    if described.file_size <= SMALL:
        return read_npy(archive.read(described))
    with archive.open(described) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
