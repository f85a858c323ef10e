"""Tags, notes and pins beside a variant: a file for each time they were written; none is ever written over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import BadFile, BadValue
from miscope.store.annotation import Annotation, AnnotationChange, ChangedMeanwhile, PinnedStep
from miscope.store.atomic import write_whole
from miscope.store.variant_folders import entries, stat_of

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["all_annotations", "annotate", "annotated", "annotation_of", "change_annotation", "earlier"]

_FILE = re.compile(r"(\d{6}|[1-9]\d{6,8})\.json")
_TRIES = 20
"""How often what is asked of whatever stands there is tried, while others write too."""
_TODO = "Remove it: the tags and notes are then as they were before."


def annotation_of(store: Store, name: str) -> Annotation:
    """The variant's tags, notes and pins as they stand; none where nobody wrote any.

    Raises UnknownName where there is no such variant, BadFile for what nobody here wrote.
    """
    store.variant_record(name)
    return _latest(store.layout.annotations(name))


def all_annotations(store: Store, names: Iterable[str]) -> Iterator[tuple[str, Annotation]]:
    """Each variant that has any, with its tags and notes; what cannot be read is left out, as a table has to."""
    for name in names:
        try:
            found = _latest(store.layout.annotations(name))
        except (BadFile, BadValue):  # a folder of a name that none can have
            continue
        if found.revision:
            yield name, found


def annotated(store: Store) -> dict[str, int]:
    """When tags, notes or pins of each variant that has any were last written, in nanoseconds, by its name."""
    found = {}
    for family in entries(store.layout.variants):
        for slug in entries(Path(family.path)):
            written = stat_of(f"{slug.path}/annotations")
            if written is not None:
                found[f"{family.name}/{slug.name}"] = written.st_mtime_ns
    return found


def earlier(store: Store, name: str) -> list[Annotation]:
    """All that the variant's tags and notes ever were, the latest first."""
    store.variant_record(name)
    folder = store.layout.annotations(name)
    return [_read(folder, number) for number in reversed(_numbers(folder))]


def annotate(
    store: Store, name: str, *, tags: Sequence[str] | None = None, notes: str | None = None, seen: int | None = None
) -> Annotation:
    """Have these be the variant's tags, or its notes; what is None stays. What was there before is kept (`earlier`).

    seen: the revision that was read, and is to be changed; None for whatever stands there. Raises ChangedMeanwhile
    where it is another by now, BadValue for what cannot be written, UnknownName where there is no such variant.
    """
    return change_annotation(
        store, name, AnnotationChange(tags=None if tags is None else tuple(tags), notes=notes), seen=seen
    )


def change_annotation(store: Store, name: str, change: AnnotationChange, *, seen: int | None = None) -> Annotation:
    """Have what is noted of the variant be changed, and say what it is then; raises what `annotate` does."""
    for tried in range(1, _TRIES + 1):
        before = annotation_of(store, name)
        if seen not in (None, before.revision):
            raise ChangedMeanwhile(name, before.revision)
        after = change.of(before)
        if after == before:
            return before
        after = replace(after, revision=before.revision + 1, written=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        try:
            _write(store.layout.annotations(name), after)
        except FileExistsError:  # another was faster
            if tried == _TRIES:
                raise ChangedMeanwhile(name, before.revision) from None
        else:
            return after
    raise AssertionError("the last try returned or raised")


def _latest(folder: Path) -> Annotation:
    numbers = _numbers(folder)
    return _read(folder, numbers[-1]) if numbers else Annotation()


def _numbers(folder: Path) -> list[int]:
    """Of its files, ascending."""
    found = (_FILE.fullmatch(item.name) for item in entries(folder))
    return sorted(int(match[1]) for match in found if match is not None)


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.json"


def _write(folder: Path, annotation: Annotation) -> None:
    said = {"tags": annotation.tags, "notes": annotation.notes, "written": annotation.written}
    if annotation.pins:
        said |= {"pins": [asdict(pin) for pin in annotation.pins]}
    content = json.dumps(said, indent=2, ensure_ascii=False).encode()
    write_whole(_path(folder, annotation.revision), lambda file: file.write(content), over=False)


def _read(folder: Path, number: int) -> Annotation:
    path = _path(folder, number)
    try:
        said: Any = json.loads(path.read_bytes())
        tags, notes, written = said["tags"], said["notes"], said["written"]
        if not isinstance(tags, list) or not all(isinstance(text, str) for text in (*tags, notes, written)):
            raise TypeError("what is no text stands for one")
        pins = tuple(_pin(each) for each in said.get("pins", ()))
        return Annotation(tags=tuple(tags), notes=notes, pins=pins, revision=number, written=written)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, BadValue) as error:
        reason = str(error).partition("\n")[0]
        raise BadFile(path, f"It holds no tags and notes: {reason}.", _TODO) from None


def _pin(said: Any) -> PinnedStep:
    step, note = said["step"], said["note"]
    if type(step) is not int or not isinstance(note, str):
        raise TypeError("what is no pin stands for one")
    return PinnedStep(step=step, note=note)
