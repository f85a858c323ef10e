"""What can be looked at: the variants, those to compare with, the lenses, and every installed view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, final

import panel as pn
import panel_material_ui as pmui
import param

from miscope.analyzer import Grain
from miscope.figures.finding import findable_lens, findable_records
from miscope.lens import Lens
from miscope.plugins.plugins import Plugins
from miscope.view import View
from miscope_panel.page.client import sheet, source, style
from miscope_panel.page.errands import Errands
from miscope_panel.page.lens_list import LensList
from miscope_panel.page.messaging_component import MessagingComponent
from miscope_panel.shown.lens_choices import lens_choices, said_of_lens
from miscope_panel.shown.picture import State
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.searching import Searched, searched
from miscope_panel.shown.selection import Place, Selection
from miscope_panel.shown.short_names import short_names

__all__ = ["Catalogue", "Sidebar"]

_NONE = "–"
"""What stands in a menu of which nothing is chosen."""

_OF_STUDY = "Compare the runs of a study"

_UNCOMPARED = "No open view compares variants: open one of those \u201cacross variants\u201d to see these."
"""Said where others were chosen to compare with."""

_MANY = 10
"""A longer list is searched rather than read."""

_STATES: Mapping[State, str] = {"figure": "", "missing": "missing", "inapplicable": "inapplicable", "error": "missing"}


@final
class Catalogue(MessagingComponent):
    """Installed views by namespace and grain, with a search for views and lenses."""

    views = param.List(default=[], item_type=dict, doc="name, namespace, grain, title, summary, state, reason, open.")
    beside_lens = param.Boolean(default=False, doc="Whether a lens is open: the list of all views is then folded.")
    found = param.Dict(
        default={"words": "", "said": "", "lenses": [], "views": []},
        doc="What was found by which words: lenses (name, title, summary, by), views (name, by), the best first.",
    )

    _esm = source("catalogue", "held_focus", "one_stop")
    _stylesheets: ClassVar[list[str]] = [style("catalogue")]


@final
class Sidebar:
    """Moves the selection, and follows it."""

    def __init__(self, selection: Selection, variants: list[str], plugins: Plugins, errands: Errands) -> None:
        self._selection, self._names, self._plugins, self._errands = selection, variants, plugins, errands
        self._views: Mapping[str, View] = plugins.views
        self._lenses: Mapping[str, Lens] = {}
        self._offered = False
        """Whether the lenses are known."""
        self.on_again: Callable[[], None] = lambda: None
        self.on_lens: Callable[[str], None] = lambda name: None
        self._studies: Mapping[str, tuple[str, ...]] = {}
        self._reasons: Mapping[str, tuple[State, str]] = {}
        self._following = False
        """Whether the menus change because the place did: nobody chose anything."""
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (0, 0, 12, 0)}
        self.variant = pmui.Select(
            label="Variant", options=variants, size="small", sx={"& .MuiSelect-select": {"fontSize": "14px"}}, **wide
        )
        # What is searched lists what is chosen too: by keys it is taken away there.
        look = {"stylesheets": [sheet("compared_menu")], **wide}
        self.compared = pmui.MultiChoice(label="Compare with", options=variants, searchable=True, **look)
        self.uncompared = pn.pane.HTML(
            _UNCOMPARED, visible=False, sizing_mode="stretch_width", margin=(-6, 0, 12, 0), stylesheets=[sheet("note")]
        )
        self.study = pmui.Select(label=_OF_STUDY, options=[_NONE], size="small", visible=False, **wide)
        self.lenses = LensList(sizing_mode="stretch_width", margin=0)
        self.lenses.on_choice = self._look_through
        self.catalogue = Catalogue(sizing_mode="stretch_width")
        self.catalogue.on_message = self._press
        self.choosers = pn.Column(
            self.variant,
            self.compared,
            self.uncompared,
            self.study,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("choosers")],
        )
        self.know(variants)
        self._hear(self.variant, lambda name: name and selection.move(variant=name))
        self._hear(self.study, self._compare)
        self._hear(self.compared, lambda names: selection.move(compared=tuple(names)))

    @property
    def contents(self) -> list[pn.viewable.Viewable]:
        """From top to bottom."""
        return [self.choosers, self.lenses, self.catalogue]

    def know(self, variants: list[str]) -> None:
        """These variants are there to choose from."""
        self._names = variants
        self.choosers.visible = bool(variants)
        self.variant.searchable = len(variants) > _MANY
        self.compared.visible = any(view.grain is Grain.COHORT for view in self._views.values()) and len(variants) > 1
        self.follow(self._selection.place)

    def _hear(self, menu: Any, chosen: Callable[[Any], object]) -> None:
        """Have what a visitor chooses in a menu go there."""
        menu.param.watch(lambda event: self._following or chosen(event.new), "value")

    def follow(self, place: Place) -> None:
        """Show the place."""
        self._following = True
        try:
            self._follow(place)
        finally:
            self._following = False

    def _follow(self, place: Place) -> None:
        known = place.variant in self._names or not place.variant
        # One that is not here is listed while it is asked for: a Select without its value would choose another.
        names = self._names if known else [place.variant, *self._names]
        # At once, here and below: of options without its value a menu chooses one by itself, and tells the browser.
        # A whole name is cut where the field ends, often just before what tells it from the others.
        called = short_names(names).get(place.variant, "")
        self.variant.param.update(options=names, value=place.variant or None, value_label=called)
        others = [name for name in self._names if name != place.variant]
        self.compared.param.update(
            options=_labelled(others, names), value=[name for name in place.compared if name in others]
        )
        self.uncompared.visible = bool(place.compared) and not self._compares(place)
        self.study.param.update(options=[_NONE, *self._studies], value=self._study_of(place))
        choices = lens_choices(self._lenses, self._views, self._reasons, place.lens)
        said = said_of_lens(place, choices, self._views) if self._offered else ""
        self.lenses.param.update(lenses=[asdict(choice) for choice in choices], said=said)
        views = [self._entry(view, place) for _, view in sorted(self._views.items())]
        self.catalogue.change(views=views, beside_lens=any(choice.open for choice in choices))

    def offer(self, lenses: Mapping[str, Lens], studies: Mapping[str, tuple[str, ...]]) -> None:
        """These lenses can be looked through, and these studies have several variants each."""
        self._studies = {name: several for name, names in studies.items() if len(several := self._shown(names)) > 1}
        self._lenses, self._offered = lenses, True
        self.study.visible = bool(self._studies)
        self.follow(self._selection.place)

    def _compares(self, place: Place) -> bool:
        """Whether a view is open that shows several variants."""
        open_ones = (self._views.get(view_of(entry)) for entry in place.views)
        return any(view is not None and view.grain is Grain.COHORT for view in open_ones)

    def _shown(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self._names)

    def _study_of(self, place: Place) -> str:
        """The study whose variants are shown together; none where others are, or some of them."""
        shown = {place.variant, *place.compared}
        return next((name for name, names in self._studies.items() if set(names) == shown), _NONE)

    def _compare(self, study: str) -> None:
        place, names = self._selection.place, self._studies.get(study, ())
        if names and self._study_of(place) != study:
            first = place.variant if place.variant in names else names[0]
            self._selection.move(variant=first, compared=tuple(name for name in names if name != first))

    def _look_through(self, lens: str) -> None:
        if lens != self._selection.place.lens:
            self.on_lens(lens)

    def explain(self, reasons: Mapping[str, tuple[State, str]]) -> None:
        """Grey what the variant has nothing for, with the reason."""
        self._reasons = reasons
        self.follow(self._selection.place)

    def _entry(self, view: View, place: Place) -> dict[str, Any]:
        state, reason = self._reasons.get(view.name, ("figure", ""))
        return {
            "name": view.name,
            "namespace": view.namespace,
            "grain": str(view.grain),
            "title": view.title,
            "summary": view.summary,
            "state": _STATES[state],
            "reason": reason,
            "open": view.name in place.views,
        }

    def _press(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "again":
            self.on_again()
        if message.get("kind") == "find" and isinstance(words := message.get("words"), str):
            self._errands.send(partial(self._search, words), self._show_found)
        if message.get("kind") == "lens" and isinstance(lens := message.get("lens"), str) and lens in self._lenses:
            self._look_through(lens)
        place, view = self._selection.place, message.get("view", "")
        if view in self._views:
            self._selection.place = place.open(view) if message.get("kind") == "open" else place.close(view)

    def _search(self, words: str) -> Searched:
        lenses = [findable_lens(lens) for lens in self._lenses.values()]
        return searched(words, [*lenses, *findable_records(self._plugins, self._views.values())])

    def _show_found(self, answer: Searched) -> None:
        lenses = [
            {"name": hit.name, "title": lens.title, "summary": lens.summary, "by": hit.by}
            for hit in answer.hits
            if hit.kind == "lens" and (lens := self._lenses.get(hit.name)) is not None
        ]
        views = [{"name": hit.name, "by": hit.by} for hit in answer.hits if hit.kind == "view"]
        self.catalogue.found = {"words": answer.words, "said": answer.said, "lenses": lenses, "views": views}


def _labelled(names: Iterable[str], among: Iterable[str]) -> dict[str, str]:
    """What tells each from the others, and its name: the whole name where two would be called the same."""
    short = short_names(among)
    called = Counter(short.values())
    return {short[name] if called[short[name]] == 1 else name: name for name in names}
