"""One visitor's dashboard: the selection in the middle, every page follows it."""

from __future__ import annotations

from functools import partial
from typing import Any, final

import panel as pn
import panel_material_ui as pmui

from miscope_panel.page.client import sheet
from miscope_panel.page.errands import Errands
from miscope_panel.page.frame import page
from miscope_panel.page.jobs_badge import JobsBadge
from miscope_panel.page.opening import arrived
from miscope_panel.page.page_record import OpenPage, PageContext, ServerContext
from miscope_panel.page.pages import opened_page
from miscope_panel.page.shell import Shell
from miscope_panel.page.workbench import Workbench
from miscope_panel.shown.plotlyjs import constants
from miscope_panel.shown.selectable import selectable
from miscope_panel.shown.selection import Place, Selection, read_query, write_query
from miscope_panel.shown.unread_address import unread

__all__ = ["Dashboard"]


@final
class Dashboard:
    """What one browser tab shows; state is made here and nowhere shared."""

    def __init__(self, server: ServerContext, query: str = "") -> None:
        self._server = server
        self.selection = Selection(place=self._asked(query))
        self._context = PageContext(server=server, selection=self.selection, errands=Errands(server.pool))
        self.workbench = Workbench(self._context)
        self._opened: dict[str, OpenPage] = {}
        self.parts: dict[str, pn.Column] = {}
        """What holds each page that was opened, by its name; those not looked at are hidden."""
        place = self.selection.place
        self.shell = Shell(query="", dark=self.selection.dark, charts=constants(), width=0, height=0, margin=0)
        self.shell.unread = self._unread(query)
        self.frame = pn.Column(self.shell, sizing_mode="stretch_both", margin=0, stylesheets=[sheet("frame")])
        self.shell.on_return = self._return
        memory = self._context.memory
        memory.on_change = lambda kept: self.shell.param.update(kept=dict(kept))
        # Once the page is there: a browser that still fetches it can miss what changes.
        self.shell.on_kept = lambda kept: self._context.errands.hand(partial(memory.bring_back, kept))
        self.shell.on_scheme = lambda dark: self._context.errands.hand(partial(self._prefer, dark))
        self.selection.param.watch(lambda event: self._follow(event.new), "place")
        self._follow(place)

    def _asked(self, query: str) -> Place:
        """Where an address leads; a page that is not here is none."""
        given: dict[str, Any] = read_query(query, selectable(self._server.workspace.plugins.views.values()))
        if given.get("page") not in self._server.pages.pages:
            given.pop("page", None)
        return arrived(self._server.workspace, given)

    def _unread(self, query: str) -> list[str]:
        pages = {name: each.title for name, each in self._server.pages.pages.items()}
        views = {name: view.title for name, view in self._server.workspace.plugins.views.items()}
        return [*unread(query, pages, views)]

    def _return(self, query: str) -> None:
        self.shell.unread = self._unread(query)
        self.workbench.arrive()
        self.selection.place = self._asked(query)

    def _prefer(self, dark: bool) -> None:
        self.selection.prefers_dark = dark
        self.shell.dark = self.selection.dark

    def opened(self, name: str) -> OpenPage:
        """The page of that name, opened when it is first looked at."""
        if name not in self._opened:
            self._opened[name] = self.workbench if name == "views" else opened_page(name, self._context)
        return self._opened[name]

    def _follow(self, place: Place) -> None:
        self.opened(place.page)
        for each in [*self._opened.values()]:
            each.follow(place)
            if self.selection.place is not place:
                # A page has filled in what was left open, and all have followed it there.
                return
        self._show(place.page)
        query = write_query(place, self.workbench.sections_of(place))
        self.shell.param.update(query=query, dark=self.selection.dark, selected=dict(place.selected))

    def _show(self, looked_at: str) -> None:
        for name, part in self.parts.items():
            # Hidden, not taken away: a chart that comes back need not be drawn again.
            part.css_classes = [] if name == looked_at else ["away"]
        if looked_at not in self.parts:
            view = self._opened[looked_at].view
            part = pn.Column(view, sizing_mode="stretch_width", margin=0, stylesheets=[sheet("part")])
            self.parts[looked_at] = part
            # With all that lies on it by now: a browser that still builds a column misses what is put into it.
            self.frame.append(part)

    def page(self) -> pmui.Page:
        """The whole page."""
        titles = {name: each.title for name, each in self._server.pages.pages.items()}
        self.badge = JobsBadge(self._context)
        return page(self.selection, titles, [self.badge.view], self.workbench.sidebar, self.frame)
