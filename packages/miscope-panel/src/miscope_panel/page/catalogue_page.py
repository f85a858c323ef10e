"""The page of the catalogue: everything that is installed, found by words, and where it stands for the variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, final

from miscope_panel.page.catalogue_board import CatalogueBoard
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.catalogue_entries import KINDS, Known, entries, findables, sections_about
from miscope_panel.shown.catalogue_states import StandingOf, command_for, standing_of
from miscope_panel.shown.launching.form_field import FAMILY
from miscope_panel.shown.lens_cards import sections_of
from miscope_panel.shown.one_of import lenses_on_page
from miscope_panel.shown.searching import Searched, searched
from miscope_panel.shown.selection import Place

__all__ = ["NAME", "CataloguePage"]

NAME = "catalogue"
_CONTROLS = ("find", "kind", "show")


@final
class CataloguePage:
    """Follows the address while it is looked at; files are read and words looked for on threads."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._errands = context.server.workspace, context.errands
        self.selection = context.selection
        self._known: Known | None = None
        """None until it is read."""
        self._stood: tuple[str, ...] | None = None
        """The variants that the standing is asked of; None before any."""
        self._told: tuple[str, tuple[str, ...]] = ("", ())
        self.board = self.view = CatalogueBoard(kinds={**KINDS}, sizing_mode="stretch_width", margin=0)
        self.board.on_message = self._hear

    def follow(self, place: Place) -> None:
        """Show what the address asks for; while another page is looked at, nothing."""
        if place.page != NAME:
            if self.board.active:
                # Elsewhere more is computed, and lenses are written.
                self._stood, self.board.active = None, False
            return
        if not self.board.active or not self.board.entries:
            self.board.active = True
            self._errands.send(self._read, self._know)
        controls = place.controls_of(NAME)
        asked = {name: controls.get(name, "") for name in _CONTROLS}
        self.board.asked = asked
        if self.board.found["words"] != asked["find"]:
            self._look_for(asked["find"])
        variants = (place.variant, *place.compared) if place.variant else ()
        if variants != self._stood:
            self._stood = variants
            self.board.standing = {"said": "" if variants else _NO_VARIANT, "of": {}}
            if variants:
                work = partial(standing_of, self._workspace, variants[0], variants[1:])
                self._errands.send(work, partial(self._stand, variants))
        self._tell(asked["show"], variants)

    def _read(self) -> Known:
        return Known(plugins=self._workspace.plugins, lenses=lenses_on_page(self._workspace))

    def _know(self, known: Known) -> None:
        self._known = known
        self.board.entries = [{**asdict(entry), "key": entry.key} for entry in entries(known)]
        asked = self.board.asked
        self._look_for(asked["find"])
        self._told = ("", ())
        self._tell(asked["show"], self._stood or ())

    def _look_for(self, words: str) -> None:
        if (known := self._known) is not None:
            self._errands.send(lambda: searched(words, findables(known)), self._find)

    def _find(self, answer: Searched) -> None:
        if answer.words == self.board.asked["find"]:
            hits = [{"key": f"{hit.kind}:{hit.name}", "by": hit.by} for hit in answer.hits]
            said = answer.said if answer.words.strip() else ""
            self.board.found = {"words": answer.words, "said": said, "hits": hits}

    def _stand(self, variants: Sequence[str], standing: StandingOf) -> None:
        if variants == self._stood:
            of = {each.key: asdict(each) for each in standing.standings}
            self.board.standing = {"said": standing.said, "of": of}

    def _tell(self, key: str, variants: tuple[str, ...]) -> None:
        if self._known is not None and (key, variants) != self._told:
            self._told = (key, variants)
            self._errands.send(partial(self._about, self._known, key, variants), partial(self._show, self._told))

    def _about(self, known: Known, key: str, variants: Sequence[str]) -> dict[str, Any]:
        kind, _, name = key.partition(":")
        sections = [asdict(section) for section in sections_about(known, kind, name)]
        computed = kind in ("view", "analyzer") and sections and variants
        command = command_for(self._workspace, kind, name, variants) if computed else ""
        return {"key": key, "sections": sections, "opens": _opens(known, kind, name), "command": command}

    def _show(self, asked: tuple[str, tuple[str, ...]], shown: dict[str, Any]) -> None:
        if asked == self._told:
            self.board.shown = shown

    def _hear(self, message: dict[str, Any]) -> None:
        place = self.selection.place
        match message:
            case {"kind": "ask", "control": str(control), "value": str(value)} if control in _CONTROLS:
                self.selection.place = place.turn(NAME, control, value or None)
            case {"kind": "open", "key": str(key)}:
                self._open(place, key)

    def _open(self, place: Place, key: str) -> None:
        kind, _, name = key.partition(":")
        if kind == "view" and name in self._workspace.plugins.views:
            self.selection.place = replace(place.open(name), page="views")
        elif kind == "lens" and (sections := sections_of(self._workspace, name)):
            self.selection.place = replace(place.through(name, sections), page="views")
        elif kind == "family" and name in self._workspace.plugins.families:
            others = {turned: text for turned, text in place.turned.items() if turned[0] != "launch"}
            self.selection.place = replace(place, page="launch", turned={**others, ("launch", FAMILY): name})


_NO_VARIANT = "Open a variant to see what of this applies to it, and what was computed."


def _opens(known: Known, kind: str, name: str) -> list[dict[str, str]]:
    """What can be opened of an entry: itself, or the views that show it."""
    if kind == "family":
        return [{"key": f"family:{name}", "words": "Train one"}]
    if kind in ("lens", "view"):
        return [{"key": f"{kind}:{name}", "words": "Open on the workbench"}]
    if kind != "analyzer":
        return []
    views = [view for _, view in sorted(known.plugins.views.items()) if name in view.needs.artifacts]
    return [{"key": f"view:{view.name}", "words": view.title} for view in views]
