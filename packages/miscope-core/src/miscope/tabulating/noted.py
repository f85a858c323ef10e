"""A variant's own tags and notes beside those of the runs that trained it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from miscope.store.annotation import Annotation
from miscope.tabulating.run_words import RunWords

__all__ = ["noted"]


def noted(words: Mapping[str, RunWords], own: Iterable[tuple[str, Annotation]]) -> dict[str, RunWords]:
    """What runs say by the variants' names, with the variants' own tags and notes before; each of them once.

    A variant without a run has no state.
    """
    found = dict(words)
    for name, annotation in own:
        of_runs = found.get(name, RunWords(state=""))
        found[name] = replace(
            of_runs,
            tags=tuple(dict.fromkeys((*annotation.tags, *of_runs.tags))),
            notes="\n".join(dict.fromkeys(note for note in (annotation.notes, of_runs.notes) if note)),
        )
    return found
