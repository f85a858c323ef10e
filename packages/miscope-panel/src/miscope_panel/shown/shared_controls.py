"""Controls that many cards have in common: turned once, on the cursor bar, unless a card has its own."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.view import EVENT_MARKS, SAME_SCALE, SINCE, STEP_SCALE, View
from miscope_panel.shown.card_looks import without_looks
from miscope_panel.shown.lens_cards import CardSection
from miscope_panel.shown.selection import Place

__all__ = ["CURSOR", "controls_at", "given_by_bar", "left_to_bar", "shared_by", "step_scale"]

CURSOR = "cursor"
"""What an address calls the bar: 'cursor:clock=log', 'cursor:events=false', 'cursor:locked=false'."""

_SHARED = (STEP_SCALE, EVENT_MARKS, SAME_SCALE)
_AS_THEY_ARE = {STEP_SCALE.name: STEP_SCALE.options[0], EVENT_MARKS.name: "true", SAME_SCALE.name: "true"}
"""Before anybody turns them."""


def step_scale(place: Place) -> str:
    """How the bar has steps laid out, of one variant; linear where the address says what is none."""
    given = place.controls_of(CURSOR).get(STEP_SCALE.name, "")
    known = given in STEP_SCALE.options or given.startswith(SINCE)
    return given if known else _AS_THEY_ARE[STEP_SCALE.name]


def shared_by(view: View, place: Place, entry: str) -> list[str]:
    """The controls that a card of that view leaves to the bar."""
    own = without_looks(place.controls_of(entry))
    return [each.name for each in _SHARED if each in view.all_controls and each.name not in own]


def given_by_bar(view: View, place: Place, entry: str) -> dict[str, str]:
    """What is turned of those on the bar."""
    on_bar = place.controls_of(CURSOR)
    return {name: on_bar[name] for name in shared_by(view, place, entry) if name in on_bar}


def controls_at(view: View, place: Place, entry: str) -> dict[str, str]:
    """What is turned of a card of that view: on the bar, and on the card itself, which goes before."""
    return {**given_by_bar(view, place, entry), **without_looks(place.controls_of(entry))}


def left_to_bar(place: Place, view: View, entry: str, sections: Sequence[CardSection] = ()) -> Place:
    """The place where a card of that view whose own control is as the bar has it leaves it to the bar.

    sections: of the place's lens: what that sets of a card stays the card's own, whatever it was turned to.
    """
    on_bar, own = {**_AS_THEY_ARE, **place.controls_of(CURSOR)}, place.controls_of(entry)
    by_lens = {name for section in sections if entry in section.cards for name in section.cards[entry].controls}
    for each in _SHARED:
        if each in view.all_controls and each.name not in by_lens and own.get(each.name) == on_bar[each.name]:
            place = place.turn(entry, each.name, None)
    return place
