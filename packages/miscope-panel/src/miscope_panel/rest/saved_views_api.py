"""Saved views of the table of variants over HTTP: listed, kept under a name, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from miscope.tabulating.saved_views import (
    LONGEST_QUERY,
    LONGEST_VIEW_NAME,
    SavedView,
    known_views,
    remove_view,
    save_view,
)
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.exampled import exampled
from miscope_panel.rest.run_answers import answered

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["SavedViewAsked", "SavedViewSeen", "SavedViewsSeen", "saved_views_router"]

_EXAMPLE = {"name": "Grokked", "query": "where=prime+%3E+50&sort=test_loss:desc"}
_QUERY = "What is asked of the table, as the page's address has it, and as `GET table` takes it."

ViewName = Annotated[
    str, Path(min_length=1, max_length=LONGEST_VIEW_NAME, description="The view's name.", examples=["Grokked"])
]


@final
class SavedViewAsked(BaseModel):
    """What a saved view is to ask."""

    model_config = {**exampled(query=_EXAMPLE["query"]), "extra": "forbid"}

    query: Annotated[str, Field(max_length=LONGEST_QUERY, description=_QUERY)]


@final
class SavedViewSeen(BaseModel):
    """A saved view."""

    model_config = exampled(**_EXAMPLE)

    name: str
    query: str = Field(description=_QUERY)

    @classmethod
    def of(cls, view: SavedView) -> SavedViewSeen:
        """As it is kept."""
        return cls(name=view.name, query=view.query)


@final
class SavedViewsSeen(BaseModel):
    """Those of the workspace."""

    model_config = exampled(views=[_EXAMPLE], broken=[])

    views: list[SavedViewSeen] = Field(description="By name.")
    broken: list[str] = Field(description="Why others cannot be read.")


def saved_views_router(workspace: Workspace) -> APIRouter:
    """The routes over saved views of the table."""
    routes = APIRouter(prefix=f"{PREFIX}/table/views", tags=["workspace"], responses={**PROBLEMS})
    layout = workspace.store.layout

    @routes.get("", response_model=SavedViewsSeen)
    def saved_views() -> Response:
        """Questions to the table of variants that are kept under a name."""
        known = known_views(layout)
        return answered(SavedViewsSeen(views=[SavedViewSeen.of(each) for each in known.views], broken=[*known.broken]))

    @routes.put("/{name}", response_model=SavedViewSeen)
    def keep_view(name: ViewName, asked: SavedViewAsked) -> Response:
        """Keep a question under that name, in the place of another of that name, whatever its case."""
        view = SavedView(name=name, query=asked.query)
        save_view(layout, view, over=True)
        return answered(SavedViewSeen.of(view))

    @routes.delete("/{name}", response_model=SavedViewSeen)
    def remove(name: ViewName) -> Response:
        """Forget the view of that name; the answer is what it was, and `PUT` of it keeps it again."""
        return answered(SavedViewSeen.of(remove_view(layout, name)))

    return routes
