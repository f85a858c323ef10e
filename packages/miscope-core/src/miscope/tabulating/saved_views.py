"""Questions to the table of variants that are kept under a name: a file each, in the workspace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadFile, BadValue, UnknownName
from miscope.label_text import check_text
from miscope.recipe import digest
from miscope.store.atomic import explaining, write_whole

if TYPE_CHECKING:
    from miscope.store.layout import Layout

__all__ = ["LONGEST_QUERY", "LONGEST_VIEW_NAME", "KnownViews", "SavedView", "known_views", "remove_view", "save_view"]

LONGEST_VIEW_NAME, LONGEST_QUERY = 100, 6000
"""Characters; an address has room for the query, and for the rest of it."""

_OF = "a saved view"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """What is asked of the table, under a name. Raises BadValue for a name that is no line, or what is too long."""

    name: str
    query: str
    """As an address has it: 'where=prime+%3E+50&sort=test_loss:desc'; '' for the whole table as it is made."""

    def __post_init__(self) -> None:
        check_text("name", self.name, LONGEST_VIEW_NAME, of=_OF, is_line=True)
        check_text("query", self.query, LONGEST_QUERY, of=_OF, is_line=True)
        if self.name != self.name.strip() or not self.name:
            known = "It has a character, and neither begins nor ends with a space."
            raise BadValue(f"That cannot be the name of {_OF}.", known, "Give another.", field="name")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class KnownViews:
    """Those of a workspace."""

    views: tuple[SavedView, ...] = ()
    """By name, whatever the case."""
    broken: tuple[str, ...] = ()
    """Why others cannot be read."""

    def named(self, name: str) -> SavedView | None:
        """The view of that name, whatever its case; None where there is none."""
        return next((view for view in self.views if view.name.casefold() == name.casefold()), None)


def known_views(layout: Layout) -> KnownViews:
    """Every saved view there is."""
    views, broken = [], []
    for found in _each(layout):
        if isinstance(found, SavedView):
            views.append(found)
        else:
            broken.append(str(found))
    return KnownViews(views=tuple(sorted(views, key=lambda view: view.name.casefold())), broken=tuple(broken))


def save_view(layout: Layout, view: SavedView, *, over: bool = False) -> None:
    """Keep the view. over: in the place of another of that name, whatever its case; otherwise BadValue where one is."""
    content = json.dumps(asdict(view), indent=2, ensure_ascii=False).encode()
    try:
        write_whole(_path(layout, view.name), lambda file: file.write(content), over=over)
    except FileExistsError:
        raise BadValue(
            f"There is a saved view named {view.name!r} already.",
            "Names differ in more than upper and lower case.",
            "Choose another name, or replace that one.",
            field="name",
        ) from None


def remove_view(layout: Layout, name: str) -> SavedView:
    """Forget the view of that name; what it was. Raises UnknownName where there is none."""
    known = known_views(layout)
    view = known.named(name)
    if view is None:
        names = [each.name for each in known.views]
        listing = f"The page of runs offers the {len(names)} there are, and `GET /api/v1/table/views` lists them."
        raise UnknownName("saved view", name, names, listing=listing)
    with explaining(_path(layout, name)):
        _path(layout, name).unlink(missing_ok=True)
    return view


def _path(layout: Layout, name: str) -> Path:
    """A name has letters that a file's may not have, and two that differ in case are one."""
    return layout.table_views / f"{digest(name.casefold())}.json"


def _each(layout: Layout) -> Iterator[SavedView | BadFile]:
    for path in sorted(layout.table_views.glob("*.json")) if layout.table_views.is_dir() else ():
        try:
            said: Any = json.loads(path.read_bytes())
            view = SavedView(name=said["name"], query=said["query"])
            if path != _path(layout, view.name):
                raise ValueError(f"the file of {view.name!r} has another name")
            yield view
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadValue) as error:
            reason = str(error).partition("\n")[0]
            yield BadFile(path, f"It holds no saved view: {reason}.", "Remove it, and save the view again.")
