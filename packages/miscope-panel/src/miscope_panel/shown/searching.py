"""A search as the page shows it: what was found, by what, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from miscope.figures.finding import Findable, Findings, find

__all__ = ["Hit", "Searched", "searched"]


@final
@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing that was found."""

    kind: str
    name: str
    by: str
    """'by its formula and source'; "" where name or title has the words."""


@final
@dataclass(frozen=True, kw_only=True)
class Searched:
    """An answer to words."""

    words: str = ""
    hits: tuple[Hit, ...] = ()
    """The best first."""
    said: str = ""
    """That nothing was found, or what a misspelt word was taken for."""


def searched(words: str, among: Sequence[Findable]) -> Searched:
    """What has the words."""
    findings = find(words, among)
    hits = tuple(Hit(kind=each.kind, name=each.name, by=_worded(each.by)) for each in findings.found)
    return Searched(words=words, hits=hits, said=_said(words, findings))


def _worded(by: Sequence[str]) -> str:
    return f"by its {' and '.join(by)}" if by else ""


def _said(words: str, findings: Findings) -> str:
    if not findings.found:
        return f"Nothing has \u201c{words}\u201d."
    taken = [
        f"Nothing has \u201c{word}\u201d; this is \u201c{other}\u201d." for word, other in findings.read_as.items()
    ]
    return " ".join(taken)
