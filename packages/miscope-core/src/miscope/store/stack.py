"""One analyzer's arrays over all steps of a variant: derived files beside the steps, so that a scrubber feels live."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

import numpy as np

from miscope.errors import BadFile, BadValue
from miscope.recipe import digest
from miscope.store.array_file import BROKEN, read_arrays
from miscope.store.atomic import sync_folder, unfinished
from miscope.store.layout import step_name, step_of
from miscope.store.memory import Memory
from miscope.store.npy import SMALL, read_npy, write_npy
from miscope.store.read_only import read_only

__all__ = ["read_stack", "steps_in"]

_AT_ONCE = 64 * 2**20
"""Bytes above which an array is mapped rather than read."""


class _Entry(NamedTuple):
    """A step's file as it is now; another content shows as another time or size."""

    step: int
    changed_ns: int
    size: int


@final
@dataclass(frozen=True)
class _Stack:
    """A stack folder and what it holds."""

    folder: Path
    entries: tuple[_Entry, ...]
    arrays: Mapping[str, str]
    """Array name -> file name."""
    uneven: Mapping[str, str]
    """Arrays that cannot be stacked, and why."""
    checksums: Mapping[str, str]
    """File name -> CRC-32 of the array's bytes."""


class _Damaged(Exception):
    """A stack that is not what was written: it is built again."""


def steps_in(folder: Path, suffix: str, memory: Memory) -> list[int]:
    """Steps with a finished file in the folder, ascending; the folder is listed again once a file came or went."""
    try:
        listing = memory.at_rest("steps", folder, lambda: _listing(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return listing[suffix].tolist() if suffix in listing else []


def _listing(folder: Path) -> dict[str, np.ndarray]:
    """Suffix -> steps (T,) int64 with such a file, ascending."""
    steps: dict[str, list[int]] = {}
    for name in os.listdir(folder):
        if (step := step_of(name)) is not None:
            steps.setdefault(os.path.splitext(name)[1], []).append(step)
    return {suffix: np.array(sorted(found), dtype=np.int64) for suffix, found in steps.items()}


def read_stack(folder: Path, memory: Memory, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Each array (T, ...) over the steps in the folder, and those under 'step' (T,) int64; read-only.

    Built when first asked for, and anew when a step's file comes, goes or changes. Raises BadFile for a step that
    cannot be read, and BadValue for an array whose shape differs between steps.
    """
    for _ in range(5):
        entries = memory.at_rest("entries", folder, lambda: _entries(folder))
        target = folder / f"stack-{_fingerprint(entries)}"
        try:
            stack = _opened(target, memory)
            if stack is None:
                _build(target, entries)
                stack = _opened(target, memory)
            if stack is not None:
                return _read(stack, memory, names)
        except FileNotFoundError:
            continue  # a step came meanwhile, and its reader replaced the stack
        except _Damaged:
            shutil.rmtree(target, ignore_errors=True)
            with suppress(OSError):  # a folder one may only read: its steps are read one by one below
                _build(target, entries)
        except OSError:
            break  # a folder one may only read
    arrays, uneven = _assembled(folder, entries, None)
    return _chosen(folder, {"step": _steps(entries), **arrays}, uneven, names)


def _entries(folder: Path) -> tuple[_Entry, ...]:
    entries = []
    with os.scandir(folder) as listing:
        for item in listing:
            step = step_of(item.name)
            if step is not None and item.name.endswith(".npz"):
                stat = item.stat()
                entries.append(_Entry(step, stat.st_mtime_ns, stat.st_size))
    return tuple(sorted(entries))


def _fingerprint(entries: Sequence[_Entry]) -> str:
    return hashlib.blake2b(np.array(entries, dtype=np.int64).tobytes(), digest_size=8).hexdigest()


def _steps(entries: Sequence[_Entry]) -> np.ndarray:
    return np.array([entry.step for entry in entries], dtype=np.int64)


def _opened(folder: Path, memory: Memory) -> _Stack | None:
    """The stack in the folder, if there is one and it is whole."""

    def load() -> _Stack:
        manifest = json.loads((folder / "stack.json").read_bytes())
        if manifest.pop("checksum") != digest(manifest):
            raise ValueError
        entries = tuple(_Entry(*entry) for entry in manifest["entries"])
        return _Stack(folder, entries, manifest["arrays"], manifest["uneven"], manifest["checksums"])

    try:
        return memory.of(("manifest", str(folder)), load)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Torn, damaged, or from before there were checksums.
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _read(stack: _Stack, memory: Memory, names: Collection[str] | None) -> dict[str, np.ndarray]:
    wanted = set(stack.arrays) if names is None else set(names) & set(stack.arrays)
    arrays = {"step": _steps(stack.entries)}
    for name in sorted(wanted):
        file = stack.arrays[name]
        arrays[name] = memory.of((str(stack.folder), file), lambda file=file: _array(stack, file))
    return _chosen(stack.folder.parent, arrays, stack.uneven, names)


def _array(stack: _Stack, file: str) -> np.ndarray:
    """One array of the stack; _Damaged if its bytes are not those that were written."""
    path = stack.folder / file
    try:
        size = path.stat().st_size
        if size <= SMALL:
            array = read_npy(path.read_bytes())
        else:
            array = np.load(path, mmap_mode="r" if size > _AT_ONCE else None, allow_pickle=False)
    except FileNotFoundError:
        raise
    except BROKEN:
        raise _Damaged from None
    if _checksum(array) != stack.checksums.get(file):
        raise _Damaged
    return array


def _checksum(array: np.ndarray) -> str:
    """Of type, shape and bytes, these summed as words: any flipped bit shows, at the speed of the memory."""
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words = content[: content.size // 8 * 8].view(np.uint64)
    about = zlib.crc32(content[8 * words.size :].data, zlib.crc32(f"{array.dtype.str} {array.shape}".encode()))
    return f"{about:08x}{int(np.add.reduce(words, dtype=np.uint64)):016x}"


def _chosen(
    folder: Path, arrays: dict[str, np.ndarray], uneven: Mapping[str, str], names: Collection[str] | None
) -> dict[str, np.ndarray]:
    """The arrays asked for, all of them there and stackable."""
    wanted = [*arrays, *uneven] if names is None else ["step", *(name for name in names if name != "step")]
    for name in wanted:
        if name in uneven:
            raise BadValue(
                f"{name!r} of {folder.parent.name!r} cannot be stacked over the steps.",
                uneven[name],
                "Return it with one shape at every checkpoint, or load it step by step.",
            )
        if name not in arrays:
            problem = f"Its steps hold no array {name!r}, but: {', '.join(arrays)}."
            raise BadFile(folder, problem, "Ask for one of these.")
    return {name: read_only(arrays[name]) for name in wanted}


def _build(target: Path, entries: Sequence[_Entry]) -> None:
    """Write the stack aside and rename it into place; older ones of the folder go."""
    folder = target.parent
    older = [path for path in folder.glob("stack-*") if path != target]
    arrays, uneven = _assembled(folder, entries, _previous(older))
    aside = unfinished(target)
    try:
        aside.mkdir()
        files = {name: f"{number}.npy" for number, name in enumerate(arrays)}
        for name, array in arrays.items():
            with (aside / files[name]).open("wb") as file:
                write_npy(file, array)
        checksums = {files[name]: _checksum(array) for name, array in arrays.items()}
        manifest = {"entries": entries, "arrays": files, "uneven": uneven, "checksums": checksums}
        (aside / "stack.json").write_text(json.dumps({**manifest, "checksum": digest(manifest)}))
        with suppress(OSError):  # another reader was faster: the same stack
            aside.rename(target)
        sync_folder(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for path in older:
        shutil.rmtree(path, ignore_errors=True)


def _previous(older: Sequence[Path]) -> _Stack | None:
    """An older stack whose rows may be taken over."""
    for folder in older:
        stack = _opened(folder, Memory(0))
        if stack is not None and not stack.uneven and _is_whole(stack):
            return stack
    return None


def _is_whole(stack: _Stack) -> bool:
    try:
        return all(_array(stack, file) is not None for file in stack.arrays.values())
    except (_Damaged, FileNotFoundError):
        return False


def _assembled(
    folder: Path, entries: Sequence[_Entry], previous: _Stack | None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays over the steps, and what cannot be stacked; rows the previous stack holds are not read again."""
    row = {entry: i for i, entry in enumerate(previous.entries)} if previous else {}
    kept = {name: _array(previous, file) for name, file in previous.arrays.items()} if previous else {}
    fresh = {entry: read_arrays(folder / step_name(entry.step, "npz")) for entry in entries if entry not in row}
    names = dict.fromkeys([*kept, *(name for arrays in fresh.values() for name in arrays)])
    arrays, uneven = {}, {}
    for name in names:
        column = [kept[name][row[e]] if e in row and name in kept else fresh.get(e, {}).get(name) for e in entries]
        problem = _unevenness(entries, column)
        if problem:
            uneven[name] = problem
        else:
            arrays[name] = np.stack([values for values in column if values is not None])
    return arrays, uneven


def _unevenness(entries: Sequence[_Entry], column: Sequence[np.ndarray | None]) -> str:
    absent = [entry.step for entry, values in zip(entries, column, strict=True) if values is None]
    if absent:
        return f"It is there at some steps and not at others: not at step {absent[0]}."
    first = column[0]
    for entry, values in zip(entries, column, strict=True):
        if first is not None and values is not None and values.shape != first.shape:
            return f"Its shape is {first.shape} at step {entries[0].step} and {values.shape} at step {entry.step}."
    return ""
