"""What is selected for all cards alike, a neuron, a head, a site: which controls show it, and how it is moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miscope.view import View
from miscope_panel.shown.lens_cards import CardSection
from miscope_panel.shown.pin import read, view_of
from miscope_panel.shown.selectable import TAKEN, selectable
from miscope_panel.shown.selection import Place

__all__ = ["moved_by", "selected_of", "selecting", "shown_instead", "turning"]


def selected_of(place: Place, entry: str, view: View) -> dict[str, str]:
    """What the controls of a card show because it is selected; what was turned of the card alone stands over it.

    {} for a card that is held: it stays as it was.
    """
    if read(entry) is not None:
        return {}
    return {control: place.selected[what] for control, what in view.selected_by.items() if what in place.selected}


def selecting(
    place: Place, values: Mapping[str, object], views: Mapping[str, View], sections: Sequence[CardSection] = ()
) -> Place:
    """The place with these selected: shown by every card that has a control for them.

    Not by those that are held, and not where the lens sets the control itself.
    sections: of the place's lens.
    """
    known = selectable(views.values())
    given = {what: str(value) for what, value in values.items() if what in known}
    return place.select(given, [key for key in place.turned if _what(*key, views, sections) in given])


def turning(
    place: Place,
    changed: tuple[str, str, str],
    views: Mapping[str, View],
    sections: Sequence[CardSection] = (),
) -> Place:
    """The place with a control of a card turned: for all cards where it shows what is selected, else for it alone.

    changed: the card's entry, the control, its value.
    """
    entry, control, value = changed
    what = _what(entry, control, views, sections)
    return selecting(place, {what: value}, views, sections) if what else place.turn(entry, control, value)


def moved_by(control: Mapping[str, Any], now: str | None, amount: int) -> str | None:
    """The value so many after this one, as a described control (`picture`) offers them; None where there is no other.

    now: None for the value that the control has.
    """
    if control["kind"] == "choice":
        names = list(control["options"])
        at = names.index(now if now in names else control["value"]) + amount
        found = names[min(max(at, 0), len(names) - 1)]
    else:
        here = int(now) if now is not None and now.isdecimal() else int(control["value"])
        least, most = int(control["minimum"]), control["maximum"]
        found = str(max(least, here + amount if most is None else min(here + amount, int(most))))
    return None if found == now else found


def shown_instead(value: str, controls: Iterable[Mapping[str, Any]]) -> str:
    """What is said where described controls for what is selected (`picture`) show another one; "" where none does."""
    having = {str(control["value"]): _has(control, value) for control in controls}
    others = [text for text, has in having.items() if not has]
    if not others:
        return ""
    where = "not in this variant: showing" if len(others) == len(having) else "not in all cards: others show"
    return f"{where} {', '.join(others)}"


def _has(control: Mapping[str, Any], value: str) -> bool:
    if control["kind"] != "number":
        return str(control["value"]) == value
    try:
        return float(value) == control["value"]
    except ValueError:
        return False


def _what(entry: str, control: str, views: Mapping[str, View], sections: Sequence[CardSection]) -> str:
    """What a control of a card selects for all; "" for one that is turned for its card alone."""
    view = views.get(view_of(entry))
    set_there = any(control in section.cards[entry].controls for section in sections if entry in section.cards)
    if view is None or set_there or read(entry) is not None:
        return ""
    what = view.selected_by.get(control, "")
    return "" if what in TAKEN else what
