"""Which pages there are, in the order of their tabs, and how one is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from html import escape
from types import MappingProxyType
from typing import final

import panel as pn
import pluggy

from miscope.hookspecs import PROJECT
from miscope.plugins.offers import Broken, Offer, Provider, broken_by, left_out
from miscope.plugins.plugins import Plugins
from miscope.runs.run_queue import RunQueue
from miscope.workspace import Workspace
from miscope_panel.page import hookspecs
from miscope_panel.page.catalogue_page import CataloguePage
from miscope_panel.page.client import sheet
from miscope_panel.page.compare_page import ComparePage
from miscope_panel.page.folder_watch import FolderWatch
from miscope_panel.page.installed import InstalledPage
from miscope_panel.page.jobs_page import JobsPage
from miscope_panel.page.launch.launch_page import LaunchPage
from miscope_panel.page.notes_watch import NotesWatch
from miscope_panel.page.page_record import FoundPages, OpenPage, Page, PageContext, ServerContext
from miscope_panel.page.run_watch import RunWatch
from miscope_panel.page.runs_page import RunsPage
from miscope_panel.page.workbench import Workbench
from miscope_panel.shown.selection import PAGE_NAME, Place

__all__ = ["OWN", "found_pages", "opened_page", "server_context"]

OWN = (
    Page(name="runs", title="Runs", open=RunsPage),
    Page(name="views", title="Workbench", open=Workbench),
    Page(name="compare", title="Compare", open=ComparePage),
    Page(name="launch", title="Launch", open=LaunchPage),
    Page(name="jobs", title="Jobs", open=JobsPage),
    Page(name="catalogue", title="Catalogue", open=CataloguePage),
    Page(name="installed", title="Installed", open=InstalledPage),
)
"""Those that come with the dashboard."""


def _nobody() -> None:
    """There is nobody to call."""


def server_context(
    workspace: Workspace,
    pool: Executor,
    *,
    queue: RunQueue | None = None,
    summon: Callable[[], None] = _nobody,
    read_only: bool = False,
) -> ServerContext:
    """What the pages of one server have in common. queue: None for that of the workspace."""
    queue, folders = queue or RunQueue(workspace.root), FolderWatch(workspace.store.layout)
    return ServerContext(
        workspace=workspace,
        pool=pool,
        estimates=pool,
        queue=queue,
        watch=RunWatch(queue, NotesWatch(workspace.store).look, folders.look),
        folders=folders,
        summon=summon,
        pages=found_pages(workspace.plugins),
        read_only=read_only,
    )


def found_pages(plugins: Plugins) -> FoundPages:
    """The dashboard's own pages and those of plug-ins; one that fails is reported, and the others work."""
    pages = {page.name: page for page in OWN}
    provided_by: dict[str, Provider] = {}
    broken: list[Broken] = []
    for offer in plugins.offers:
        try:
            offered = list(_offered(offer))
        except Exception as error:  # noqa: BLE001 - the door of a plug-in, as core's own
            broken.append(broken_by(offer.provider, error))
            continue
        for page in offered:
            reason = _fault(page, pages)
            if reason is None:
                pages[page.name], provided_by[page.name] = page, offer.provider
            else:
                broken.append(left_out(offer.provider, _label(page), reason))
    return FoundPages(pages=MappingProxyType(pages), provided_by=MappingProxyType(provided_by), broken=tuple(broken))


def _offered(offer: Offer) -> Iterator[Page]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(offer.module)
    for pages in manager.hook.miscope_panel_pages():
        yield from pages


def _label(page: object) -> str:
    return f"the page {getattr(page, 'name', page)!r}"


def _fault(page: object, pages: Mapping[str, Page]) -> str | None:
    """Why what a plug-in yields is no page; None if it is one."""
    if not isinstance(page, Page):
        return f"miscope_panel_pages yields Page records, and gave {page!r}"
    if not isinstance(page.name, str) or not re.fullmatch(PAGE_NAME, page.name):
        return f"its name is {page.name!r}; an address takes lower-case letters, digits, '-', '_' and '.'"
    if page.name in pages:
        return f"there is a page {page.name!r} already"
    if not isinstance(page.title, str) or not page.title.strip():
        return f"its title is {page.title!r}; a tab takes a text that is not empty"
    taken = any(page.title.strip() == other.title.strip() for other in pages.values())
    return f"there is a page with the title {page.title!r} already" if taken else None


def opened_page(name: str, context: PageContext) -> OpenPage:
    """The page of that name for one visitor; one of a plug-in that fails says so in its own stead."""
    found = context.server.pages
    page, provider = found.pages[name], found.provided_by.get(name)
    return page.open(context) if provider is None else _Added(page, provider, context)


@final
class _Added:
    """A page that a plug-in adds, or why it cannot be shown."""

    def __init__(self, page: Page, provider: Provider, context: PageContext) -> None:
        self._record, self._provider, self._page = page, provider, None
        self.view = pn.Column(pn.Spacer(height=0), sizing_mode="stretch_width", margin=0)
        self._attempt(partial(self._open, context))

    def follow(self, place: Place) -> None:
        """Have it follow, as long as it has not failed."""
        if self._page is not None:
            self._attempt(partial(self._page.follow, place))

    def _open(self, context: PageContext) -> None:
        self._page = self._record.open(context)
        self.view[:] = [self._page.view]

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the door of a plug-in: its page fails alone
            self._page = None
            self.view[:] = [_failed(self._record, self._provider, error)]


def _failed(page: Page, provider: Provider, error: Exception) -> pn.pane.HTML:
    lines = (
        f"{page.title} cannot be shown.",
        f"{type(error).__name__}: {error}".splitlines()[0],
        f"It is of {provider}.",
    )
    title, *rest = map(escape, lines)
    html = f'<div class="page"><h2>{title}</h2>{"".join(f"<p>{line}</p>" for line in rest)}</div>'
    return pn.pane.HTML(html, sizing_mode="stretch_width", margin=0, stylesheets=[sheet("installed")])
