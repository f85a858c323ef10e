"""Views, instruments, lenses and families found by words: of their names, of what is said of them, of synonyms."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final

from miscope.view import View

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.family import Family
    from miscope.lens import Lens
    from miscope.plugins.plugins import Plugins

__all__ = [
    "Findable",
    "Findings",
    "Found",
    "Kind",
    "find",
    "findable_analyzer",
    "findable_family",
    "findable_lens",
    "findable_records",
    "findable_view",
]

Kind = Literal["lens", "view", "analyzer", "family", "event"]

_WHOLE, _BEGUN, _WITHIN = range(3)
"""How a word is met: as a whole word, as the beginning of one, or inside of one."""

_SHORT = 3
"""Letters up to which a word inside of another is a coincidence: 'sam' in 'balsam'."""

_ALIKE = 0.8
"""Likeness (difflib) from which a word that nothing has is read as one that something has."""


@final
@dataclass(frozen=True, kw_only=True)
class Findable:
    """What can be found, with all that is said of it."""

    kind: Kind
    name: str
    texts: tuple[tuple[str, str], ...]
    """(what it is: 'question', text), the most telling first; 'name' and 'title' go without saying."""


@final
@dataclass(frozen=True, kw_only=True)
class Found:
    """One of the findables that has all the words."""

    kind: Kind
    name: str
    by: tuple[str, ...] = ()
    """What has the words, where neither name nor title has them: ('formula', 'source')."""


@final
@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found, the best first."""

    found: tuple[Found, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)
    """Words that nothing has -> the word that they were taken for."""


def find(words: str, among: Sequence[Findable]) -> Findings:
    """Those that have every word somewhere: in the name or the title first, then in the order of their texts.

    A whole word goes before one that only begins so. A word that nothing has is read as the one most like it.
    """
    asked = words.casefold().split()
    read_as = {word: other for word in asked if (other := _misspelt(word, among)) is not None}
    wanted = [read_as.get(word, word) for word in asked]
    ranked = []
    for each in among:
        met = [_met(word, each.texts) for word in wanted]
        if wanted and None not in met:
            places = [place for place in met if place is not None]
            by = dict.fromkeys(each.texts[place][0] for place, _ in sorted(places))
            silent = ("name", "title")
            found = Found(kind=each.kind, name=each.name, by=tuple(what for what in by if what not in silent))
            ranked.append((sum(map(_worth, places)), found))
    ranked.sort(key=lambda pair: (pair[0], pair[1].name))
    return Findings(found=tuple(found for _, found in ranked), read_as=read_as)


def _worth(met: tuple[int, int]) -> int:
    place, how = met
    # Inside of a word of the name is less than the beginning of a synonym.
    return 2 * place + (0, 1, 5)[how]


def _met(word: str, texts: Iterable[tuple[str, str]]) -> tuple[int, int] | None:
    """(place of the text, how) where the word is met best; None where no text has it."""
    met = ((place, how) for place, (_, text) in enumerate(texts) if (how := _how(word, text.casefold())) is not None)
    return min(met, key=_worth, default=None)


def _how(word: str, text: str) -> int | None:
    if word not in text:
        return None
    begins = rf"(?<![^\W_]){re.escape(word)}"
    if re.search(rf"{begins}(?![^\W_])", text):
        return _WHOLE
    if re.search(begins, text):
        return _BEGUN
    return _WITHIN if len(word) > _SHORT else None


def _misspelt(word: str, among: Sequence[Findable]) -> str | None:
    """The word most like it, where nothing has this one; None where something has, or nothing is like it."""
    if any(_met(word, each.texts) is not None for each in among):
        return None
    spoken = {
        known
        for each in among
        for what, text in each.texts
        if what not in ("formula", "source")
        for known in re.findall(r"[^\W_]{3,}", text.casefold())
    }
    return next(iter(difflib.get_close_matches(word, sorted(spoken), 1, _ALIKE)), None)


def findable_records(plugins: Plugins, records: Iterable[View | Analyzer]) -> list[Findable]:
    """Views or instruments, as they are found by words."""
    return [
        findable_view(plugins, record) if isinstance(record, View) else findable_analyzer(record) for record in records
    ]


def findable_view(plugins: Plugins, view: View) -> Findable:
    """A view, with what is said of the instruments that it shows."""
    read = [plugins.analyzers[name] for name in dict.fromkeys(view.needs.artifacts) if name in plugins.analyzers]
    return Findable(
        kind="view",
        name=view.name,
        texts=(
            *_named(view.name, view.title, view.synonyms),
            ("summary", view.summary),
            ("question", " ".join(analyzer.question for analyzer in read)),
            ("analyzer", " ".join(analyzer.name for analyzer in read)),
            ("synonyms", "; ".join(word for analyzer in read for word in analyzer.synonyms)),
            ("formula", "; ".join(analyzer.formula for analyzer in read)),
            ("source", "; ".join(analyzer.source for analyzer in read)),
        ),
    )


def findable_analyzer(analyzer: Analyzer) -> Findable:
    """An instrument."""
    return Findable(
        kind="analyzer",
        name=analyzer.name,
        texts=(
            *_named(analyzer.name, "", analyzer.synonyms),
            ("question", analyzer.question),
            ("summary", analyzer.summary),
            ("formula", analyzer.formula),
            ("source", analyzer.source),
            ("output", " ".join((*analyzer.outputs, *analyzer.outputs.values()))),
        ),
    )


def findable_lens(lens: Lens) -> Findable:
    """A lens, with the headings of its sections and the names of its views."""
    titles = [section.title for section in lens.sections] + [view.title for view in lens.views]
    return Findable(
        kind="lens",
        name=lens.name,
        texts=(
            *_named(lens.name, lens.title, lens.synonyms),
            ("question", lens.question),
            ("sections", "; ".join(filter(None, titles))),
            ("views", " ".join(view.view for view in lens.views)),
        ),
    )


def findable_family(family: Family) -> Findable:
    """A kind of model, with its parameters."""
    fields = [*family.params.model_fields]
    return Findable(
        kind="family",
        name=family.name,
        texts=(*_named(family.name, family.title, ()), ("parameter", " ".join(fields))),
    )


def _named(name: str, title: str, synonyms: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return ("name", name), ("title", title), ("synonyms", "; ".join(synonyms))
