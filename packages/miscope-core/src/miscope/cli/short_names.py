"""Names of variants as a terminal has room for: the first parts, with which no other begins."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterable, Mapping

from miscope.cli.printing import note

__all__ = ["begins", "note_shortened", "short_names", "shown_names"]

_LEAST = 30
"""Characters of a column below which names tell nothing."""


def begins(target: str, name: str) -> bool:
    """Whether these are the first parts of the name, whole ones: 'toy.sum/v5' of 'toy.sum/v5-seed0'."""
    return name.startswith((f"{target}-", f"{target}@"))


def short_names(names: Iterable[str], most: int) -> dict[str, str]:
    """What commands take for each: of one that is longer as many of its first parts as are as long, or more where
    another begins with these too."""
    known = list(dict.fromkeys(names))
    return {name: name if len(name) <= most else _shortened(name, known, most) for name in known}


def shown_names(names: Iterable[str], *, beside: int) -> Mapping[str, str]:
    """The same as a table has them at a terminal; elsewhere whole. beside: characters of the other columns."""
    if not sys.stdout.isatty():
        return {name: name for name in names}
    return short_names(names, max(_LEAST, shutil.get_terminal_size().columns - beside))


def note_shortened(shown: Mapping[str, str]) -> None:
    """Say how to have the names whole, where one of these is not."""
    if any(short != name for name, short in shown.items()):
        note("Names are shortened to first parts that tell them apart, as commands take them; `| cat` has them whole.")


def _shortened(name: str, names: Collection[str], most: int) -> str:
    family, _, slug = name.partition("/")
    parts = slug.split("-")
    starts = [f"{family}/{'-'.join(parts[:count])}" for count in range(1, len(parts))]
    alone = [start for start in starts if start not in names and sum(begins(start, other) for other in names) == 1]
    fitting = [start for start in alone if len(start) <= most]
    return fitting[-1] if fitting else next(iter(alone), name)
