"""What a visitor is looking at: one value, mirrored in the URL. Knows nothing of Panel's widgets or of figures."""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final
from urllib.parse import parse_qsl, urlencode

import param

from miscope.tabulating.asked import TableAsked
from miscope_panel.shown.kept_colours import KEPT, read_colours, write_colours
from miscope_panel.shown.lens_cards import CardSection
from miscope_panel.shown.pin import Pin, view_of
from miscope_panel.shown.table_address import read_asked, write_asked

__all__ = ["BARE", "PAGE_NAME", "Place", "Selection", "read_query", "settled", "write_query"]

PAGE_NAME = r"[a-z][a-z0-9_.-]{0,39}"
"""What a page can be called: a pattern."""

_SAFE = "/:,@"

BARE = "none"
"""What an address says of a board without cards; the name of a view has a dot."""


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """Everything that decides what is on the screen."""

    variant: str = ""
    """'modadd.transformer/p113-...'; '' before one is chosen."""
    step: int | None = None
    """The step asked for, whether or not there is a checkpoint; None: the last."""
    views: tuple[str, ...] = ()
    """Open cards, in order: names of views, and pins of some."""
    bare: bool = False
    """Whether there is none because the last was closed, and not because the place says nothing of cards."""
    compared: tuple[str, ...] = ()
    """Other variants that cohort views show beside this one."""
    turned: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(view, control) -> value as text, of controls away from their default."""
    selected: Mapping[str, str] = field(default_factory=dict)
    """What -> which, as text, of what all cards show the same of: {'neuron': '42'}."""
    lens: str = ""
    """The lens that the cards were opened by; '' for none."""
    page: str = "views"
    """The name of the page that is looked at."""
    table: TableAsked = field(default_factory=TableAsked)
    """What is asked of the table of variants."""
    dark: bool | None = None
    """Whether in the dark colours; None: in those that the browser asks for."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variant and those compared with it, each once."""
        return tuple(dict.fromkeys(name for name in (self.variant, *self.compared) if name))

    @property
    def colours(self) -> dict[str, str]:
        """Those of its variants, by name."""
        return read_colours(self.variants, self.turned.get(KEPT, ""))

    def coloured_as(self, before: Place) -> Place:
        """This place where variants that were shown before have the colours that they had."""
        return self.turn(*KEPT, write_colours(self.variants, before.colours))

    def turn(self, view: str, control: str, value: str | None) -> Place:
        """This place with one control turned; None puts it back."""
        rest = {key: text for key, text in self.turned.items() if key != (view, control)}
        return replace(self, turned=rest if value is None else {**rest, (view, control): value})

    def select(self, values: Mapping[str, str], freed: Collection[tuple[str, str]] = ()) -> Place:
        """This place with these selected, and without what was turned of some cards alone.

        freed: (view, control) of those.
        """
        rest = {key: text for key, text in self.turned.items() if key not in freed}
        return replace(self, selected={**self.selected, **values}, turned=rest)

    def controls_of(self, view: str) -> dict[str, str]:
        """The turned controls of one view."""
        return {control: text for (name, control), text in self.turned.items() if name == view}

    def open(self, view: str) -> Place:
        """This place with the view's card opened, last."""
        return self if view in self.views else replace(self, views=(*self.views, view), bare=False)

    def close(self, view: str) -> Place:
        """This place without the view's card; a pin takes its controls with it."""
        kept = {key: text for key, text in self.turned.items() if key[0] != view or view_of(view) == view}
        left = tuple(name for name in self.views if name != view)
        return replace(self, views=left, bare=not left, turned=kept)

    def hold(self, view: str, pin: Pin, selected: Mapping[str, str] | None = None) -> Place:
        """This place with the pin's card after the view's, its controls as they are there.

        selected: those of its controls that show what is selected for all cards.
        """
        held = str(pin)
        if held in self.views or view not in self.views:
            return self
        at = self.views.index(view) + 1
        turned = {(held, control): text for control, text in {**(selected or {}), **self.controls_of(view)}.items()}
        return replace(self, views=(*self.views[:at], held, *self.views[at:]), turned={**self.turned, **turned})

    def through(self, lens: str, sections: Sequence[CardSection]) -> Place:
        """This place with the cards of a lens, and no others; their controls are those that the lens sets."""
        cards = {entry: card.controls for section in sections for entry, card in section.cards.items()}
        rest = {key: text for key, text in self.turned.items() if key[0] not in cards}
        turned = {(entry, name): text for entry, controls in cards.items() for name, text in controls.items()}
        return replace(self, lens=lens, views=tuple(cards), bare=not cards, turned={**rest, **turned})


def write_query(place: Place, sections: Sequence[CardSection] = ()) -> str:
    """The place as a query string, without the question mark: 'v=...&e=24800&views=a,b&a:neuron=7'.

    Variants that are compared follow the first: 'v=...&v=...'.
    sections: of its lens, whose name stands for what it opens and sets.
    """
    by_lens = Place().through(place.lens, sections)
    pairs: list[tuple[str, str]] = []
    if place.variant or place.compared:
        pairs += [("v", name) for name in (place.variant, *place.compared)]
    if place.step is not None:
        pairs.append(("e", str(place.step)))
    if place.bare:
        pairs.append(("views", BARE))
    elif (not sections and (place.views or place.page == "views")) or place.views != by_lens.views:
        pairs.append(("views", ",".join(place.views)))
    if place.lens:
        pairs.append(("lens", place.lens))
    if place.page != "views":
        pairs.append(("page", place.page))
    pairs += write_asked(place.table)
    if place.dark is not None:
        pairs.append(("theme", "dark" if place.dark else "light"))
    pairs += sorted(place.selected.items())
    turned = {key: text for key, text in place.turned.items() if by_lens.turned.get(key) != text}
    pairs += [(f"{view}:{control}", text) for (view, control), text in sorted(turned.items())]
    return urlencode(pairs, safe=_SAFE)


def read_query(query: str, selectable: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a Place that a query string names; what it does not know or cannot read is left out.

    selectable: what can be selected for all cards.
    """
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    given = dict(pairs)
    fields = _variants([text for key, text in pairs if key == "v"], given.get("with"))
    if re.fullmatch(r"[0-9]{1,18}", given.get("e", "")):
        fields["step"] = int(given["e"])
    if "views" in given:
        fields |= (
            {"views": (), "bare": True} if given["views"] == BARE else {"views": _unique(given["views"].split(","))}
        )
    if given.get("lens"):
        fields["lens"] = given["lens"]
    if re.fullmatch(PAGE_NAME, given.get("page", "")):
        fields["page"] = given["page"]
    if (table := read_asked(given)) != TableAsked():
        fields["table"] = table
    if (theme := given.get("theme")) in ("dark", "light"):
        fields["dark"] = theme == "dark"
    if selected := {what: given[what] for what in selectable if what in given}:
        fields["selected"] = selected
    if turned := _turned(given):
        fields["turned"] = turned
    return fields


def _turned(given: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """(view, control) -> value, of keys that have both."""
    parted = ((key.rpartition(":"), text) for key, text in given.items())
    return {(view, control): text for (view, colon, control), text in parted if colon and view and control}


def _variants(named: Sequence[str], beside: str | None) -> dict[str, Any]:
    """The variants that an address names: the first, and those compared with it.

    beside: the latter as older addresses have them, with commas between.
    """
    fields: dict[str, Any] = {"variant": named[0]} if named and named[0] else {}
    compared = _unique([*named[1:], *(beside or "").split(",")])
    return fields | ({"compared": compared} if compared else {})


def settled(steps: Sequence[int], asked: int | None) -> int | None:
    """The checkpoint shown for a step: the nearest at or before it, else the first; None if there is none."""
    if not steps:
        return None
    if asked is None:
        return steps[-1]
    return steps[max(bisect.bisect_right(steps, asked) - 1, 0)]


@final
class Selection(param.Parameterized):
    """The place of one browser tab; everything on the page follows it."""

    place: Place = param.ClassSelector(class_=Place, default=Place(), doc="Where the visitor is.")  # pyright: ignore
    prefers_dark = param.Boolean(default=False, doc="Whether the browser asks for the dark colours.")

    @property
    def dark(self) -> bool:
        """Whether the page is in the dark colours: as was chosen, else as the browser asks."""
        return bool(self.prefers_dark) if self.place.dark is None else self.place.dark

    def move(self, **changes: Any) -> None:
        """Go to this place with those fields changed; nothing happens where they are as they were."""
        there = replace(self.place, **changes)
        if there.variants != self.place.variants:
            there = there.coloured_as(self.place)
        if there != self.place:
            self.place = there


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
