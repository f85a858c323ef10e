"""A lens as cards: an entry for each of its views that is installed, with the controls it sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.lens import Lens
from miscope_panel.shown.one_of import lenses_on_page
from miscope_panel.shown.pin import another

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["CardSection", "LensCard", "cards_of", "sections_of", "under_headings"]


@final
@dataclass(frozen=True, kw_only=True)
class LensCard:
    """One card of a lens."""

    title: str = ""
    """'' for the view's own."""
    controls: Mapping[str, str] = field(default_factory=dict)
    """As an address writes them."""


@final
@dataclass(frozen=True, kw_only=True)
class CardSection:
    """Cards under a heading."""

    title: str
    cards: Mapping[str, LensCard]
    """By the entry of an address."""


def sections_of(workspace: Workspace, lens: str) -> tuple[CardSection, ...]:
    """Those of the lens of that name, as its file is now; () where there is none, or nothing of it is installed."""
    known = lenses_on_page(workspace).get(lens) if lens else None
    return () if known is None else cards_of(known, workspace.plugins.views)


def under_headings(views: Sequence[str], sections: Sequence[CardSection]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Open cards by the heading they stand under: those of a lens by its sections, others after them; "" for none."""
    if not sections:
        return (("", tuple(views)),)
    of_lens = {entry for section in sections for entry in section.cards}
    groups = [(section.title, tuple(entry for entry in views if entry in section.cards)) for section in sections]
    groups.append(("Also open", tuple(entry for entry in views if entry not in of_lens)))
    return tuple((title, entries) for title, entries in groups if entries)


def cards_of(lens: Lens, installed: Collection[str]) -> tuple[CardSection, ...]:
    """Its sections that have any card, in order; a view that comes again has an entry of its own each time."""
    seen: Counter[str] = Counter()
    sections = []
    for section in lens.sections:
        cards = {}
        for shown in section.views:
            if shown.view not in installed:
                continue
            seen[shown.view] += 1
            controls = {name: _written(value) for name, value in shown.controls.items()}
            cards[another(shown.view, seen[shown.view])] = LensCard(title=shown.title, controls=controls)
        if cards:
            sections.append(CardSection(title=section.title, cards=cards))
    return tuple(sections)


def _written(value: bool | int | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
