"""Activations on disk, so that several trainings and instruments of one checkpoint run its network once."""

from __future__ import annotations

import math
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from miscope.errors import BadValue, CannotWrite
from miscope.lazily import torch
from miscope.store.array_file import BROKEN
from miscope.store.atomic import sweep, write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.asked_activations import AskedActivations

__all__ = ["LIMIT", "WORTH", "ActivationCache", "CachedSize", "size_limit"]

LIMIT = "MISCOPE_ACTIVATION_CACHE"
"""The environment variable that says how many GiB may be kept; 0 for none."""
_GIB = 2.0

WORTH = 4e-9
"""Seconds a byte that computing takes at least of what is kept. Writing and reading it once takes two to three of these
nanoseconds (BENCHMARKS.md), checksums included, so what the first use loses the second wins."""
_FEW = 64
"""Inputs below which the network is run without a look at what is kept."""
_CLOSE = 1e-3
"""Share of the largest number of a row by which a row may differ when it is computed alone."""


def size_limit() -> int:
    """Bytes that may be kept: as many GiB as MISCOPE_ACTIVATION_CACHE says, else two; BadValue for no such number."""
    text = os.environ.get(LIMIT) or str(_GIB)
    try:
        size = float(text) * 2**30
    except ValueError:
        size = math.nan
    if not 0 <= size < math.inf:
        raise BadValue(
            f"{LIMIT} is {text!r}.",
            "It says how many GiB of activations are kept in a workspace.",
            "Give a number, or 0 for none.",
        )
    return int(size)


class CachedSize(NamedTuple):
    """What is kept."""

    files: int
    size: int
    """In bytes."""


@final
class ActivationCache:
    """Activations as files of one folder, at most so many bytes: those that were used least lately go first.

    A file is read where its name says what is asked for and its checksum fits, as a private mapping, so that processes
    share its pages. Any number of processes may read and write.
    """

    def __init__(
        self, folder: Path, limit: int, *, worth: float = WORTH, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """limit: bytes; 0 for a cache that keeps nothing. worth: what took fewer seconds a byte is not kept."""
        self.folder, self.limit = folder, limit
        self._worth, self._clock = worth, clock

    def of(self, asked: AskedActivations) -> Tensor:
        """The activations, contiguous: kept ones, or computed ones, bit for bit the same."""
        if not self.limit or len(asked.inputs) < _FEW:
            return asked.computed()
        kept = self._read(asked)
        if kept is not None:
            return kept
        began = self._clock()
        found = asked.computed()
        took = self._clock() - began
        if took >= self._worth * found.nbytes and 0 < found.nbytes <= self.limit and found.dtype == torch.float32:
            self._write(asked.digest, found.numpy())
        return found

    @property
    def size(self) -> CachedSize:
        """How many files there are, and how large they are together."""
        sizes = [size for _, size, _ in self._files()]
        return CachedSize(len(sizes), sum(sizes))

    def clear(self) -> CachedSize:
        """Remove all of it; what there was."""
        before = self.size
        for _, _, path in self._files():
            _remove(path)
        sweep(self.folder, deep=False)
        return before

    def _read(self, asked: AskedActivations) -> Tensor | None:
        """What is kept of it; a file that is damaged, or is not what the network computes now, is removed."""
        for path in sorted(self.folder.glob(f"{asked.digest}-*.npy")):
            kept = _whole(path)
            if kept is not None and _agrees(kept, asked):
                with suppress(OSError):  # a folder one may only read
                    os.utime(path)
                return kept
            _remove(path)
        return None

    def _write(self, digest: str, array: np.ndarray) -> None:
        path = self.folder / f"{digest}-{_checksum(array)}.npy"
        with suppress(CannotWrite):  # a full disk, a folder one may only read: it is computed again
            # What a power cut leaves of it fails the checksum.
            write_whole(path, lambda file: np.save(file, array, allow_pickle=False), flushed=False)
            self._make_room()

    def _make_room(self) -> None:
        sweep(self.folder, deep=False)
        held = 0
        for _, size, path in sorted(self._files(), reverse=True):
            held += size
            if held > self.limit:
                _remove(path)

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """When each was last used, its size, and where it is."""
        for path in self.folder.glob("[!.]*.npy"):
            with suppress(FileNotFoundError):  # another process made room
                stat = path.stat()
                yield stat.st_mtime_ns, stat.st_size, path


def _whole(path: Path) -> Tensor | None:
    """The array in the file; None where that is gone, or not what was written."""
    try:
        array = np.load(path, mmap_mode="c", allow_pickle=False)
        return torch.from_numpy(array) if path.stem.endswith(f"-{_checksum(array)}") else None
    except BROKEN:
        return None


def _checksum(array: np.ndarray) -> str:
    """CRC-32 of an array's type, shape and bytes."""
    about = f"{array.dtype.str} {array.shape}".encode()
    return f"{zlib.crc32(np.ascontiguousarray(array).data, zlib.crc32(about)):08x}"


def _agrees(kept: Tensor, asked: AskedActivations) -> bool:
    """Whether the network gives the first input the same activation still: its family may compute otherwise since."""
    now = asked.compute(asked.inputs[:1])
    then = kept[: len(now)]
    most = _CLOSE * float(now.abs().max())
    return then.shape == now.shape and torch.allclose(then, now, rtol=0, atol=most, equal_nan=True)


def _remove(path: Path) -> None:
    with suppress(OSError):  # another process was faster, or reads it where that keeps it
        path.unlink()
