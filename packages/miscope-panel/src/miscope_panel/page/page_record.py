"""A page of the dashboard as a record: its name in the address, its tab, and how it is opened for one visitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from miscope.field_docs import documented
from miscope_panel.page.kept_pictures import KeptPictures
from miscope_panel.page.made_files import MadeFiles
from miscope_panel.page.tab_memory import TabMemory

if TYPE_CHECKING:
    from panel.viewable import Viewable

    from miscope.plugins.offers import Broken, Provider
    from miscope.runs.run_queue import RunQueue
    from miscope.workspace import Workspace
    from miscope_panel.page.errands import Errands
    from miscope_panel.page.folder_watch import FolderWatch
    from miscope_panel.page.run_watch import RunWatch
    from miscope_panel.shown.selection import Place, Selection

__all__ = ["FoundPages", "OpenPage", "Page", "PageContext", "ServerContext"]


@final
@dataclass(frozen=True, kw_only=True)
class ServerContext:
    """What all pages of one server have in common."""

    workspace: Workspace
    pool: Executor
    """Threads on which figures are made and files are read."""
    estimates: Executor
    """The thread on which trainings are estimated, one at a time for all visitors: that takes seconds."""
    queue: RunQueue
    summon: Callable[[], None]
    """Sees to it that somebody works through the queue."""
    watch: RunWatch
    """Tells whoever listens what happens to runs."""
    folders: FolderWatch
    """Has `watch` tell of files of the variants that somebody looks at."""
    pages: FoundPages
    """Those that can be opened."""
    read_only: bool = False
    """Whether nothing may be started, changed or deleted."""
    made: MadeFiles = field(default_factory=MadeFiles)
    """Reports and films that visitors had made."""
    pictures: KeptPictures = field(default_factory=KeptPictures)
    """Those that cards showed lately, or will next."""


@final
@documented
@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What a page is given when a visitor opens it."""

    server: ServerContext
    """The workspace, its queue, and what is allowed."""
    selection: Selection
    """Where the visitor is, `selection.place`, and how they are taken elsewhere, `selection.move(page="jobs")`."""
    errands: Errands
    """Does work on a thread and brings its result back: `errands.send(work, then)`. Nothing else may keep the
    server waiting."""
    memory: TabMemory = field(default_factory=TabMemory)
    """What the address has no room for and the page would lose with its server."""


class OpenPage(Protocol):
    """A page as one visitor sees it."""

    @property
    def view(self) -> Viewable:
        """What is on it, the same object each time."""
        ...

    def follow(self, place: Place) -> None:
        """Show the place; called when the page is opened and whenever the visitor's place changed, also while another
        page is looked at: `place.page` says which. What a page keeps in the address is `place.controls_of(NAME)`."""
        ...


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Page:
    """A page that anybody may add to the dashboard, by the hook `miscope_panel_pages`."""

    name: str
    """What the address calls it, `?page=NAME`: lower-case letters, digits, '-', '_' and '.'."""
    title: str
    """What stands on its tab."""
    open: Callable[[PageContext], OpenPage]
    """Called once for each visitor, when they first look at it."""


@final
@dataclass(frozen=True, kw_only=True)
class FoundPages:
    """All pages by name, in the order of their tabs, and what was left out."""

    pages: Mapping[str, Page]
    provided_by: Mapping[str, Provider]
    """Of those that plug-ins add."""
    broken: tuple[Broken, ...] = ()
