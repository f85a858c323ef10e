"""How the artifacts that are there were computed: with which options, over which checkpoints, or why they failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.analyzer_options import Options, checked_options, options_apart, written_options
from miscope.artifact import ArtifactKey
from miscope.errors import MiscopeError
from miscope.planning import resolve
from miscope.recipe_note import RecipeNote, noted

if TYPE_CHECKING:
    from miscope.seeing import Setting
    from miscope.store import Store

__all__ = ["asked_for", "computed_with", "what_is_known"]


def computed_with(store: Store, settings: Sequence[Setting], names: Sequence[str]) -> list[Options]:
    """The options, apart from the defaults, that artifacts of these analyzers were computed with, each once.

    settings: of the variants shown, over the checkpoints they have; several where a view compares. Only what can be
    shown counts: of the installed versions, and over all the checkpoints there are.
    """
    found: list[Options] = []
    for name in names:
        for note in _notes(store, settings, name):
            spans = note.steps is None or note.steps == settings[0].steps
            if note.options and spans and note.options not in found:
                found.append(note.options)
    return found


def asked_for(setting: Setting, name: str) -> tuple[str, ...]:
    """The options of an analyzer, and of what it reads, that are not at their defaults, as one types them."""
    chain = resolve(setting.analyzers, [name])
    return written_options(options_apart(chain, list(chain), setting.options))


def what_is_known(store: Store, settings: Sequence[Setting], name: str, step: int | None) -> str:
    """Of an artifact that is not there: that it failed, or what there is of it otherwise; "" if nothing is known.

    settings: one, or of the variants that it compares.
    """
    setting = settings[0]
    failure = store.failure(_key(settings, name, setting.steps[-1] if step is None and setting.steps else step))
    if failure is not None:
        return f"It failed when it was last tried: {failure.splitlines()[0]}"
    if store.artifact_steps(setting.variant.name, name, setting.recipes[name]):
        return ""
    notes = list(_notes(store, settings, name))
    others = [" ".join(f"-o {text}" for text in written_options(n.options)) for n in notes if n.options]
    mine = options_apart(setting.analyzers, list(resolve(setting.analyzers, [name])), setting.options)
    spans = [note.steps for note in notes if note.steps and note.options == mine and note.steps != setting.steps]
    if others:
        return f"It exists with other options: {'; '.join(dict.fromkeys(others))}."
    if spans:
        longest = max(spans, key=len)
        several = f"{len(longest)} checkpoints, {min(longest)} to {max(longest)}"
        over = several if len(longest) > 1 else f"one checkpoint, {max(longest)}"
        return f"It exists over {over}; there are {len(setting.steps)}."
    return ""


def _notes(store: Store, settings: Sequence[Setting], name: str) -> Iterator[RecipeNote]:
    """The notes on artifacts that the installed analyzers would make again, options and all."""
    from miscope.seeing import set_otherwise

    key = _key(settings, name)
    for recipe, note in noted(store.layout, key.variant, name).items():
        try:
            options = checked_options(settings[0].analyzers, note.options)
        except MiscopeError:  # of a version that had other options
            continue
        again = [set_otherwise(one, steps=note.steps or one.steps, options=options) for one in settings]
        if _key(again, name).recipe == recipe:
            yield note


def _key(settings: Sequence[Setting], name: str, step: int | None = None) -> ArtifactKey:
    from miscope.seeing import cohort_key

    spans_variants = settings[0].analyzers[name].grain is Grain.COHORT
    return cohort_key(settings, name) if spans_variants else settings[0].key(name, step)
