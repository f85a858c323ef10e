"""Of which variants files came or went, here or elsewhere: of those that somebody looks at."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, final

from miscope.store.layout import is_name
from miscope_panel.shown.files_changed import CHECKPOINTS, METRICS, FilesChanged

if TYPE_CHECKING:
    from miscope.store.layout import Layout

__all__ = ["FolderWatch", "Watched"]

_REST = 1.0
"""Seconds without a change after which one is told of all once more: what is written beside a file is there by then."""
_GRAIN_NS = 50_000_000
"""More than the grain of a disk's clock, which may show a file as of before the moment at which it came."""


@final
@dataclass(kw_only=True)
class Watched:
    """What is known of a variant that somebody looks at."""

    since: int
    """From when on what changed is news, in nanoseconds."""
    times: Mapping[str, int] | None = None
    """When each part of its folder last changed; None before the first look."""
    restless: set[str] = field(default_factory=set)
    """What changed since it was last at rest."""
    changed: float = 0.0


@final
class FolderWatch:
    """Looks at the folders of the variants that are on somebody's page; safe to use from any thread."""

    def __init__(self, layout: Layout, rest: float = _REST) -> None:
        self._layout, self._rest = layout, rest
        self._turn = threading.Lock()
        self._lookers: Counter[str] = Counter()
        self._left: deque[frozenset[str]] = deque()
        """What somebody stopped looking at, not yet taken off."""
        self._watched: dict[str, Watched] = {}

    def attend(self, names: frozenset[str], known: Mapping[str, Watched] | None = None) -> Callable[[], None]:
        """Watch these too; what ends that is returned, and may be called by a collector of garbage.

        known: as of when, where they were looked at before (`known`); from now on otherwise.
        """
        names, now = frozenset(name for name in names if is_name(name)), time.time_ns()
        with self._turn:
            self._take_off()
            self._lookers.update(names)
            for name in names:
                one = self._watched.setdefault(name, Watched(since=now - _GRAIN_NS))
                if known and name in known:
                    # Whoever looks at it too is told once more.
                    one.since, one.times = known[name].since, known[name].times
                    one.restless |= known[name].restless

        # Without the lock: garbage is collected anywhere, also by a thread that has it.
        return partial(self._left.append, names)

    def known(self, names: Iterable[str]) -> dict[str, Watched]:
        """What whoever stops looking at these keeps, to be told later of what came meanwhile."""
        with self._turn:
            found = {name: self._watched[name] for name in names if name in self._watched}
            return {name: replace(one, restless={*one.restless}) for name, one in found.items()}

    def _take_off(self) -> None:
        while self._left:
            names = self._left.popleft()
            self._lookers.subtract(names)
            for name in [each for each in names if self._lookers[each] <= 0]:
                self._lookers.pop(name, None)
                self._watched.pop(name, None)

    def look(self) -> FilesChanged:
        """What changed since the last look."""
        with self._turn:
            self._take_off()
            watched = dict(self._watched)
        changed, rested = {}, {}
        for name, one in watched.items():
            times = dict(_times(self._layout, name))
            with self._turn:
                found = _news(one, times)
                one.times = times
                now = time.monotonic()
                if found:
                    one.changed = now
                    one.restless |= found
                    changed[name] = frozenset(found)
                elif one.restless and now - one.changed >= self._rest:
                    rested[name] = frozenset(one.restless)
                    one.restless.clear()
        return FilesChanged(changed=changed, rested=rested)


def _news(one: Watched, times: Mapping[str, int]) -> set[str]:
    if one.times is None:
        return {part for part, when in times.items() if when >= one.since}
    return {part for part in {*one.times, *times} if one.times.get(part) != times.get(part)}


def _times(layout: Layout, name: str) -> Iterator[tuple[str, int]]:
    """Files are written beside their place and moved there, so that each shows in its folder."""
    yield METRICS, _changed(layout.metrics(name))
    yield CHECKPOINTS, _changed(layout.checkpoints(name))
    for analyzer in _folders(layout.variant(name) / "artifacts"):
        yield analyzer.name, max(_changed(each) for each in (analyzer, *_folders(analyzer)))


def _folders(folder: os.DirEntry[str] | os.PathLike[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return [each for each in found if each.is_dir()]
    except OSError:
        return []


def _changed(folder: os.DirEntry[str] | os.PathLike[str]) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
