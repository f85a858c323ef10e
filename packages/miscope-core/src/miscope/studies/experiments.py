"""Which fields each run of a study has: every combination, and what was written by hand. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document, KeyPath
from miscope.studies.study_fields import StudyFields

__all__ = ["Experiment", "experiments", "written_fields"]

_MOST = 10_000
"""Runs of one study."""
_CHANGE = "Change it there; nothing was run."


@final
@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run by what is written of it."""

    fields: Mapping[str, Any]
    name: str | None = None
    """As it is called by hand; None for one that is called by a format."""
    written: KeyPath = ()
    """What of the study it comes from."""


def written_fields(fields: StudyFields) -> Iterator[tuple[str, KeyPath]]:
    """Every field that the study names, and where; the `name` of a run by hand is none."""
    for key in ("base", "matrix", "zip"):
        yield from ((name, (key, name)) for name in getattr(fields, key))
    for key in ("exclude", "include"):
        for number, entry in enumerate(getattr(fields, key)):
            yield from ((name, (key, number, name)) for name in entry if (key, name) != ("include", "name"))


def experiments(fields: StudyFields, document: Document) -> tuple[Experiment, ...]:
    """The runs in order: the combinations that are not excluded, then those by hand; the base alone without either.

    Raises BadStudy where an axis is there twice, lists that go together differ in length, or an exclusion or the whole
    leaves nothing out, or nothing over.
    """
    made = [*_combined(fields, document), *_by_hand(fields, document)]
    if not made:
        place = str(document.place("exclude"))
        raise BadStudy(place, "Every run is excluded.", "There is nothing left to do.", _CHANGE)
    return tuple(made)


def _combined(fields: StudyFields, document: Document) -> list[Experiment]:
    if not (fields.matrix or fields.zip):
        return [] if fields.include else [Experiment(fields=fields.base, written=("base",))]
    written: KeyPath = ("matrix",) if fields.matrix else ("zip",)
    axes = [*_axes(fields), *_rows(fields, document)]
    total = math.prod(len(axis) for axis in axes)
    if total > _MOST:
        known = f"They make {total} runs; a study has at most {_MOST}."
        raise BadStudy(str(document.place(*written)), "There are too many combinations.", known, _CHANGE)
    whole = [{**fields.base, **_joined(parts)} for parts in itertools.product(*axes)]
    for number, excluded in enumerate(fields.exclude):
        if not any(_has(values, excluded) for values in whole):
            place, known = document.place("exclude", number), "It would be the same study without this entry."
            raise BadStudy(str(place), f"No combination has {dict(excluded)}.", known, _CHANGE)
    left = (values for values in whole if not any(_has(values, excluded) for excluded in fields.exclude))
    return [Experiment(fields=values, written=written) for values in left]


def _axes(fields: StudyFields) -> list[list[dict[str, Any]]]:
    return [[{name: value} for value in values] for name, values in fields.matrix.items()]


def _rows(fields: StudyFields, document: Document) -> list[list[dict[str, Any]]]:
    """What goes together, as one axis; none without."""
    for name in fields.zip:
        if name in fields.matrix:
            place, known = document.place("zip", name), "A field has one value in each combination."
            raise BadStudy(str(place), f"{name!r} is in `matrix` and in `zip`.", known, _CHANGE)
    lengths = {name: len(values) for name, values in fields.zip.items()}
    if len(set(lengths.values())) > 1:
        known = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        place = str(document.place("zip"))
        raise BadStudy(place, "The lists of `zip` differ in length.", f"Of values {known}.", _CHANGE)
    rows = [dict(zip(fields.zip, values, strict=True)) for values in zip(*fields.zip.values(), strict=True)]
    return [rows] if rows else []


def _joined(parts: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


def _has(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in values and values[name] == value for name, value in wanted.items())


def _by_hand(fields: StudyFields, document: Document) -> Iterator[Experiment]:
    for number, entry in enumerate(fields.include):
        own = {name: value for name, value in entry.items() if name != "name"}
        name = entry.get("name")
        if name is not None and not isinstance(name, str):
            place, known = document.place("include", number, "name"), "A name is text."
            raise BadStudy(str(place), f"A run cannot be called {name!r}.", known, "Put it between quotes.")
        yield Experiment(fields={**fields.base, **own}, name=name, written=("include", number))
