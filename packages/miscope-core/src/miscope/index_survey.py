"""What lies in the workspace now, seen from outside: sizes and times, in milliseconds, so that a change is noticed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from miscope.layout import Layout

__all__ = ["Survey", "newer", "survey"]

_UNSETTLED_NS = 1_000_000_000
"""A folder changed so lately may change again without its time showing it."""


@final
@dataclass(frozen=True, kw_only=True)
class Survey:
    """Sizes of ledger files, states of variant records and of metrics folders; two states differ if the content may."""

    ledgers: Mapping[str, int] = field(default_factory=dict)
    """File name -> bytes."""
    records: Mapping[str, str] = field(default_factory=dict)
    """Variant -> state of its variant.json."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Variant -> state of its metrics folder."""


def survey(layout: Layout) -> Survey:
    """Look at every ledger file and every variant's folder, opening none."""
    ledgers = {item.name: item.stat().st_size for item in _entries(layout.ledger) if item.name.endswith(".jsonl")}
    now = time.time_ns()
    records, metrics = {}, {}
    for family in _entries(layout.variants):
        for slug in _entries(Path(family.path)):
            name = f"{family.name}/{slug.name}"
            record = _stat(f"{slug.path}/variant.json")
            if record is None or slug.name.startswith("."):
                continue
            records[name] = f"{record.st_mtime_ns}-{record.st_ino}"
            folder = _stat(f"{slug.path}/metrics")
            if folder is not None:
                unsettled = now - folder.st_mtime_ns < _UNSETTLED_NS
                metrics[name] = f"{folder.st_mtime_ns}-{now}" if unsettled else str(folder.st_mtime_ns)
    return Survey(ledgers=ledgers, records=records, metrics=metrics)


def newer(now: Survey, covered: Survey) -> Survey:
    """What of `now` is not covered: ledgers with the bytes to begin at, records and metrics that changed."""
    return Survey(
        ledgers={
            name: covered.ledgers.get(name, 0)
            for name, size in now.ledgers.items()
            if size > covered.ledgers.get(name, 0)
        },
        records={name: state for name, state in now.records.items() if covered.records.get(name) != state},
        metrics={name: state for name, state in now.metrics.items() if covered.metrics.get(name) != state},
    )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            yield from listing
    except (FileNotFoundError, NotADirectoryError):
        return


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
