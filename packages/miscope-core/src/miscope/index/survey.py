"""What lies in the workspace now, seen from outside: sizes and times, in milliseconds, so that a change is noticed."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from miscope.store.layout import COHORT, Layout, is_name
from miscope.store.variant_folders import entries, stat_of, variant_folders

__all__ = ["Survey", "newer", "survey"]

_UNSETTLED_NS = 1_000_000_000
"""A folder changed so lately may change again without its time showing it."""


_DEEP = 100
"""Variants up to which the folders of their instruments are looked at too; of more, that takes too long to ask."""


@final
@dataclass(frozen=True, kw_only=True)
class Survey:
    """Sizes of ledger files, states of what else there is; two states differ if the content may."""

    ledgers: Mapping[str, int] = field(default_factory=dict)
    """File name -> bytes."""
    records: Mapping[str, str] = field(default_factory=dict)
    """Name of whatever lies there as a variant -> state of its variant.json."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Variant -> state of its metrics folder."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Variant or cohort -> state of its folders of checkpoints and artifacts."""


def survey(layout: Layout) -> Survey:
    """Look at every ledger file and every variant's folder, opening none."""
    ledgers = {item.name: item.stat().st_size for item in entries(layout.ledger) if item.name.endswith(".jsonl")}
    now = time.time_ns()
    records, metrics, files = {}, {}, {}
    folders = list(variant_folders(layout.variants))
    cohorts = [(f"{COHORT}/{item.name}", item.path) for item in entries(layout.root / "cohorts")]
    deep = len(folders) <= _DEEP
    for folder in folders:
        records[folder.name] = f"{folder.record.st_mtime_ns}-{folder.record.st_ino}" if folder.record else "absent"
        if is_name(folder.name):
            files[folder.name] = _files(folder.path, now, deep=deep)
            if state := _state((f"{folder.path}/metrics",), now):
                metrics[folder.name] = state
    for name, path in cohorts:
        if is_name(name):
            files[name] = _files(path, now, deep=deep)
    return Survey(ledgers=ledgers, records=records, metrics=metrics, files=files)


def newer(now: Survey, covered: Survey) -> Survey:
    """What of `now` is not covered: ledgers with the bytes to begin at, the rest where its state changed."""
    return Survey(
        ledgers={
            name: covered.ledgers.get(name, 0)
            for name, size in now.ledgers.items()
            if size > covered.ledgers.get(name, 0)
        },
        records=_changed(now.records, covered.records),
        metrics=_changed(now.metrics, covered.metrics),
        files=_changed(now.files, covered.files),
    )


def _changed(now: Mapping[str, str], covered: Mapping[str, str]) -> dict[str, str]:
    return {name: state for name, state in now.items() if covered.get(name) != state}


def _files(folder: str, now: int, *, deep: bool) -> str:
    artifacts = f"{folder}/artifacts"
    inner = sorted(item.path for item in entries(Path(artifacts))) if deep else ()
    return _state((f"{folder}/checkpoints", artifacts, *inner), now)


def _state(folders: Iterable[str], now: int) -> str:
    """The times of these folders, as text that changes with any of them; "" where there is none."""
    times = [status.st_mtime_ns for folder in folders if (status := stat_of(folder)) is not None]
    if not times:
        return ""
    unsettled = now - max(times) < _UNSETTLED_NS
    return f"{zlib.crc32(repr(times).encode()):08x}-{max(times)}" + (f"-{now}" if unsettled else "")
