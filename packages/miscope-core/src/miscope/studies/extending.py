"""A study that extends another: the other's keys, with its own in their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document, KeyPath, read_file

__all__ = ["read_study_file"]

_ADDED_TO = ("base", "train", "analyze")
"""Keys whose mappings are put together entry by entry; any other is taken as a whole."""
_OWN = ("name", "description")
"""Keys that are of one file alone: two studies of one name would be one group."""


def read_study_file(path: Path) -> Document:
    """What the file says together with what it extends, in the words of a study. Raises BadStudy."""
    return _read(path, ())


def _read(path: Path, below: tuple[Path, ...]) -> Document:
    """below: the files that led here, from the first."""
    document = read_file(path)
    given = document.values.get("extends")
    if given is None:
        return document
    place = document.place("extends")
    if not isinstance(given, str) or not given:
        known = "A study extends one file, named from its own folder."
        raise BadStudy(str(place), f"extends: {given!r} names no file.", known, "Write it so:  extends: other.yaml")
    chain = (*below, path)
    other = path.parent / given
    if any(other.resolve() == each.resolve() for each in chain):
        way = " -> ".join(each.name for each in (*chain, other))
        known = f"The way is: {way}."
        raise BadStudy(str(place), "The files extend each other in a circle.", known, "Leave out one `extends`.")
    return _merged(document, _read(other, chain))


def _merged(own: Document, other: Document) -> Document:
    """The other's values with its own in their place, and the places of both. A null takes back what the other says."""
    values = {key: value for key, value in other.values.items() if key not in _OWN}
    places = {path: place for path, place in other.places.items() if path[0] in values}
    for key, value in own.values.items():
        if key == "extends":
            continue
        before = values.pop(key, None)
        entries = _together(key, before, value)
        if value is not None or before is None:
            values[key] = value if entries is None else entries
        given = value if entries is not None else None
        places = {path: place for path, place in places.items() if not _replaced(path, key, given)}
        places |= {path: place for path, place in own.places.items() if path[0] == key}
    return Document(file=own.file, values=values, places=places)


def _together(key: str, before: Any, now: Any) -> dict[str, Any] | None:
    """Both mappings as one, where the key is one of those; None where the later stands alone."""
    both = key in _ADDED_TO and isinstance(before, Mapping) and isinstance(now, Mapping)
    return {**before, **now} if both else None


def _replaced(path: KeyPath, key: str, entries: Any) -> bool:
    """Whether what stands at the path is taken back by that key. entries: those that are new in it; None for all."""
    return path[0] == key and (entries is None or (len(path) > 1 and path[1] in entries))
