"""An array as an npy file, written and read in one piece where it is small.

NumPy parses each header as Python; of the thousands of small arrays that an analysis leaves, most have one of a few.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import IO

import numpy as np

__all__ = ["SMALL", "read_npy", "write_npy"]

SMALL = 2**20
"""Bytes up to which an array takes one piece; a larger one is copied part by part, so that it is there only once."""

_MAGIC, _LENGTH_AT, _HEADER_AT = b"\x93NUMPY\x01\x00", 8, 10
"""How a file of version 1 begins, where it has the length of its header, and where the header."""


def write_npy(file: IO[bytes], array: np.ndarray) -> None:
    """Write what `numpy.save` writes; ValueError for Python objects."""
    if array.nbytes > SMALL or array.dtype.names or array.dtype.hasobject:
        np.lib.format.write_array(file, array, allow_pickle=False)
        return
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    file.write(_header(array.dtype, array.shape, fortran) + array.tobytes("F" if fortran else "C"))


def read_npy(content: bytes) -> np.ndarray:
    """What `numpy.load` reads of these bytes; raises what it raises where they are damaged."""
    data_at = _HEADER_AT + int.from_bytes(content[_LENGTH_AT:_HEADER_AT], "little")
    if not content.startswith(_MAGIC):
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    shape, fortran, dtype = _described(content[:data_at])
    count = math.prod(shape)
    if dtype.hasobject or dtype.itemsize == 0 or count < 1:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    # A copy: what is read from a buffer cannot be written into.
    values = np.frombuffer(content, dtype, count, data_at).copy()
    return values.reshape(shape[::-1]).transpose() if fortran else values.reshape(shape)


@lru_cache(maxsize=1024)
def _header(dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> bytes:
    file = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue()


@lru_cache(maxsize=1024)
def _described(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    file = io.BytesIO(head)
    np.lib.format.read_magic(file)
    return np.lib.format.read_array_header_1_0(file)
