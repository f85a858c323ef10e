"""How the artifacts that are there were computed: with which options, over which checkpoints, or why they failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miscope.analysis.analyzer_options import Options, checked_options, options_apart, written_options
from miscope.analysis.another_version import of_another_version
from miscope.analysis.planning import resolve
from miscope.analysis.recipe_note import RecipeNote, noted
from miscope.analyzer import Grain
from miscope.artifact import ArtifactKey
from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from miscope.analysis.resolved_analysis import ResolvedAnalysis
    from miscope.store.store import Store

__all__ = ["asked_for", "computed_with", "what_is_known"]


def computed_with(store: Store, analyses: Sequence[ResolvedAnalysis], names: Sequence[str]) -> list[Options]:
    """The options, apart from the defaults, that artifacts of these analyzers were computed with, each once.

    analyses: of the variants shown, over the checkpoints they have; several where a view compares. Only what can be
    shown counts: of the installed versions, and over all the checkpoints there are.
    """
    options: list[Options] = []
    for name in names:
        for note in _notes(store, analyses, name):
            spans = note.steps is None or note.steps == analyses[0].steps
            if note.options and spans and note.options not in options:
                options.append(note.options)
    return options


def asked_for(analysis: ResolvedAnalysis, name: str) -> tuple[str, ...]:
    """The options of an analyzer, and of what it reads, that are not at their defaults, as one types them."""
    chain = resolve(analysis.analyzers, [name])
    return written_options(options_apart(chain, list(chain), analysis.options))


def what_is_known(store: Store, analyses: Sequence[ResolvedAnalysis], name: str, step: int | None) -> str:
    """Of an artifact that is not there: that it failed, or what there is of it otherwise; "" if nothing is known.

    analyses: one, or of the variants that it compares.
    """
    analysis = analyses[0]
    failure = store.failure(_key(analyses, name, analysis.steps[-1] if step is None and analysis.steps else step))
    if failure is not None:
        return f"It failed when it was last tried: {failure.splitlines()[0]}"
    if store.artifact_steps(analysis.variant.name, name, analysis.recipes[name]):
        return ""
    notes = list(_notes(store, analyses, name))
    others = [" ".join(f"-o {text}" for text in written_options(n.options)) for n in notes if n.options]
    mine = options_apart(analysis.analyzers, list(resolve(analysis.analyzers, [name])), analysis.options)
    spans = [note.steps for note in notes if note.steps and note.options == mine and note.steps != analysis.steps]
    if others:
        return f"It exists with other options: {'; '.join(dict.fromkeys(others))}."
    if spans:
        longest = max(spans, key=len)
        several = f"{len(longest)} checkpoints, {min(longest)} to {max(longest)}"
        over = several if len(longest) > 1 else f"one checkpoint, {max(longest)}"
        return f"It exists over {over}; there are {len(analysis.steps)}."
    return of_another_version(store, analyses, name)


def _notes(store: Store, analyses: Sequence[ResolvedAnalysis], name: str) -> Iterator[RecipeNote]:
    """The notes on artifacts that the installed analyzers would make again, options and all."""
    from miscope.analysis.resolved_analysis import resolved_otherwise

    key = _key(analyses, name)
    for recipe, note in noted(store.layout, key.variant, name).items():
        try:
            options = checked_options(analyses[0].analyzers, note.options)
        except MiscopeError:  # of a version that had other options
            continue
        again = [resolved_otherwise(one, steps=note.steps or one.steps, options=options) for one in analyses]
        if _key(again, name).recipe == recipe:
            yield note


def _key(analyses: Sequence[ResolvedAnalysis], name: str, step: int | None = None) -> ArtifactKey:
    from miscope.analysis.resolved_analysis import cohort_key

    spans_variants = analyses[0].analyzers[name].grain is Grain.COHORT
    return cohort_key(analyses, name) if spans_variants else analyses[0].key(name, step)
