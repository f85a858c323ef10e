"""By which version of an analyzer artifacts were computed that the installed one would not make again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from miscope.analysis.analyzer_options import checked_options
from miscope.analysis.planning import resolve
from miscope.analysis.recipe_note import RecipeNote, noted
from miscope.analyzer import Analyzer, Grain
from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from pathlib import Path

    from miscope.analysis.resolved_analysis import ResolvedAnalysis
    from miscope.store.store import Store

__all__ = ["of_another_version", "outdated"]

_LATER = 3
"""Versions after the installed one that are looked for: a workspace may come from a machine with newer packages."""


class _Otherwise(NamedTuple):
    """One analyzer that had another version."""

    name: str
    version: int
    analyzers: Mapping[str, Analyzer]


def outdated(store: Store, analysis: ResolvedAnalysis, name: str) -> str:
    """The same of an artifact of one variant; "" too where the installed analyzer has computed one."""
    if analysis.analyzers[name].grain is Grain.CHECKPOINT:
        there = bool(store.artifact_steps(analysis.variant.name, name, analysis.recipes[name]))
    else:
        there = store.settled(analysis.key(name))
    return "" if there else of_another_version(store, [analysis], name)


def of_another_version(store: Store, analyses: Sequence[ResolvedAnalysis], name: str) -> str:
    """'It was computed by version 1; installed is 2.'; "" where none is there, or the installed one has computed any.

    What a recipe stands for is found by making it anew with another version of the analyzer, or of one that it reads.
    """
    folders = _kept(store, analyses, name)
    if not folders:
        return ""
    notes, analyzers = noted(store.layout, _variant(analyses, name), name), analyses[0].analyzers
    installed = _Otherwise(name, analyzers[name].version, analyzers)
    for other in (installed, *_others(analyzers, name)):
        for folder in folders:
            if _recipe(analyses, name, other, notes.get(folder.name, RecipeNote())) == folder.name:
                # Over other checkpoints, or with other options, it was computed as it is now.
                return "" if other is installed else _said(name, other, analyzers[other.name].version)
    return "It was computed before the analyzer, or what it reads, was as it is now."


def _kept(store: Store, analyses: Sequence[ResolvedAnalysis], name: str) -> list[Path]:
    """A folder for each recipe of which there is anything."""
    try:
        folders = sorted(store.layout.recipes(_variant(analyses, name), name).iterdir())
        return [folder for folder in folders if next(folder.glob("*.npz"), None) is not None]
    except OSError:
        return []


def _variant(analyses: Sequence[ResolvedAnalysis], name: str) -> str:
    from miscope.analysis.resolved_analysis import cohort_key

    spans_variants = analyses[0].analyzers[name].grain is Grain.COHORT
    return cohort_key(analyses, name).variant if spans_variants else analyses[0].variant.name


def _others(analyzers: Mapping[str, Analyzer], name: str) -> Iterator[_Otherwise]:
    """With one of another version each: the analyzer itself first, then what it reads; the latest before first."""
    for each in sorted(resolve(analyzers, [name]), key=lambda each: each != name):
        installed = analyzers[each].version
        for version in range(installed + _LATER, 0, -1):
            if version != installed:
                yield _Otherwise(each, version, {**analyzers, each: replace(analyzers[each], version=version)})


def _recipe(analyses: Sequence[ResolvedAnalysis], name: str, other: _Otherwise, note: RecipeNote) -> str:
    """That of the artifacts as they would be made so; "" where they could not be."""
    from miscope.analysis.resolved_analysis import cohort_key, resolved_otherwise

    spans_variants = other.analyzers[name].grain is Grain.COHORT
    try:
        options = checked_options(other.analyzers, note.options)
        again = [
            resolved_otherwise(replace(one, analyzers=other.analyzers), steps=note.steps or one.steps, options=options)
            for one in (analyses if spans_variants else analyses[:1])
        ]
    except MiscopeError:  # of a version that had other options
        return ""
    return cohort_key(again, name).recipe if spans_variants else again[0].key(name).recipe


def _said(name: str, other: _Otherwise, installed: int) -> str:
    whose = "" if other.name == name else f" of {other.name!r}, which it reads"
    verb = "by" if other.name == name else "with"
    return f"It was computed {verb} version {other.version}{whose}; installed is {installed}."
