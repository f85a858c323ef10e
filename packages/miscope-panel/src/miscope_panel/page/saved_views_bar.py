"""Saved views of the table on the page: chosen, kept under a name, removed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any, final

import panel as pn
import panel_material_ui as pmui

from miscope.errors import BadValue, MiscopeError
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.saved_views import (
    LONGEST_VIEW_NAME,
    KnownViews,
    SavedView,
    known_views,
    remove_view,
    save_view,
)
from miscope.workspace import Workspace
from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands, attempted
from miscope_panel.page.field_look import CHOICE, FIELD
from miscope_panel.page.push_button import PushButton
from miscope_panel.shown.table_address import asked_in, query_of

__all__ = ["SavedViewsBar"]

_NONE = "–"


@final
class SavedViewsBar:
    """Shows which of the saved views is looked at, and asks for another."""

    def __init__(self, workspace: Workspace, errands: Errands, *, writable: bool) -> None:
        self._layout, self._errands, self._writable = workspace.store.layout, errands, writable
        self.on_ask: Callable[[TableAsked], None] = lambda asked: None
        self._known = KnownViews()
        self._asked = TableAsked()
        self._taken = ""
        """A name that there is already, which a second press gives to what is looked at now."""
        self._following = False
        small: dict[str, Any] = {"size": "small", "margin": 0}
        self.choice = pmui.Select(label="Saved views", options={_NONE: ""}, value="", width=130, sx=CHOICE, **small)
        self.name = pmui.TextInput(
            label="Save view as", placeholder="Grokked", width=130, max_length=LONGEST_VIEW_NAME, sx=FIELD, **small
        )
        self.save = PushButton(label="Save view", margin=0)
        self.remove = PushButton(label="Remove view", visible=False, margin=0)
        self.said = pn.pane.HTML("", margin=0, stylesheets=[sheet("runs_said")])
        self.name.visible = self.save.visible = writable
        self.parts = (self.choice, self.name, self.save, self.remove, self.said)
        self.choice.param.watch(lambda event: self._choose(event.new), "value")
        self.save.on_click(lambda event: self._save())
        self.remove.on_click(lambda event: self._remove())

    def read(self) -> None:
        """Take up what was saved and removed since, here or elsewhere."""
        self._errands.send(partial(attempted, partial(known_views, self._layout)), self._take_up)

    def follow(self, asked: TableAsked) -> None:
        """Show what is asked: the name of the saved view that asks it, where one does."""
        self._asked = asked
        shown = self._shown()
        self._following = True
        try:
            options = {_NONE: ""} | {view.name: view.name for view in self._known.views} | {_NONE: ""}
            self.choice.param.update(options=options, value=shown.name if shown else "")
        finally:
            self._following = False
        self.remove.visible = self._writable and shown is not None

    def _shown(self) -> SavedView | None:
        if self._asked == TableAsked():
            return None
        return next((view for view in self._known.views if asked_in(view.query) == self._asked), None)

    def _take_up(self, known: KnownViews | MiscopeError) -> None:
        if isinstance(known, MiscopeError):
            self._say(str(known))
            return
        self._known = known
        self._say("\n".join(known.broken))
        self.follow(self._asked)

    def _choose(self, name: str) -> None:
        if not self._following:
            view = self._known.named(name) if name else None
            self.on_ask(TableAsked() if view is None else asked_in(view.query))

    def _save(self) -> None:
        if not self._writable:
            return
        if not self.name.value.strip():
            self._say("Type a name for the view first.")
            self.name.focus()
            return
        try:
            view = SavedView(name=self.name.value.strip(), query=query_of(self._asked))
        except BadValue as error:
            self._say(str(error))
            return
        if self._asked == TableAsked():
            self._say("It would show what is shown without it.")
            return
        over = self._taken == view.name
        self._errands.send(
            partial(attempted, partial(save_view, self._layout, view, over=over)), partial(self._saved, view)
        )

    def _saved(self, view: SavedView, refused: MiscopeError | None) -> None:
        if isinstance(refused, BadValue):
            self._taken = view.name
            self._say(f"There is a view named {view.name!r} already: press again to replace it.")
        elif refused is not None:
            self._say(str(refused))
        else:
            self._taken, self.name.value = "", ""
            self.read()

    def _remove(self) -> None:
        shown = self._shown()
        if self._writable and shown is not None:
            self._errands.send(partial(attempted, partial(remove_view, self._layout, shown.name)), self._removed)

    def _removed(self, done: SavedView | MiscopeError) -> None:
        if isinstance(done, MiscopeError):
            self._say(str(done))
        self.read()

    def _say(self, text: str) -> None:
        self.said.object = "".join(f'<p class="problem" role="alert">{escape(line)}</p>' for line in text.splitlines())
