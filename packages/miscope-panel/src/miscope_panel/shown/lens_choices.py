"""The lenses as they are chosen from: what each asks, and how much of it can be shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.analyzer import Grain
from miscope_panel.shown.lens_cards import cards_of
from miscope_panel.shown.pin import view_of

if TYPE_CHECKING:
    from miscope.lens import Lens
    from miscope.view import View
    from miscope_panel.shown.picture import State
    from miscope_panel.shown.selection import Place

__all__ = ["LensChoice", "lens_choices", "said_of_lens"]


@final
@dataclass(frozen=True, kw_only=True)
class LensChoice:
    """One lens to choose."""

    name: str
    title: str
    summary: str
    shown: int | None
    """How many of its cards have something to show of the variant; None before that is known."""
    of: int
    """Its cards, without those whose view is not installed."""
    open: bool


def lens_choices(
    lenses: Mapping[str, Lens], installed: Collection[str], states: Mapping[str, tuple[State, str]], chosen: str
) -> tuple[LensChoice, ...]:
    """Those of which anything is installed, in their order.

    states: of each view, for the variant that is looked at; {} before they are known.
    """
    choices = []
    for name, lens in lenses.items():
        views = [view_of(entry) for section in cards_of(lens, installed) for entry in section.cards]
        there = sum(states.get(view, ("missing", ""))[0] == "figure" for view in views)
        choice = LensChoice(
            name=name,
            title=lens.title,
            summary=lens.summary,
            shown=there if states else None,
            of=len(views),
            open=name == chosen,
        )
        choices += [choice] if views else []
    return tuple(choices)


def said_of_lens(place: Place, choices: Sequence[LensChoice], views: Mapping[str, View]) -> str:
    """Why the lens that the place names is not open, or what of it is of one variant alone; "" where all is plain."""
    if not place.lens:
        return ""
    if all(choice.name != place.lens for choice in choices):
        others = ", ".join(choice.name for choice in choices)
        return f"There is no lens {place.lens!r} here." + (f" There are: {others}." if others else "")
    grains = {views[view].grain for entry in place.views if (view := view_of(entry)) in views}
    if place.compared and Grain.COHORT in grains and len(grains) > 1:
        first = place.variant.partition("/")[2]
        return f"Views that compare show all {1 + len(place.compared)} variants; the others show {first} alone."
    return ""
