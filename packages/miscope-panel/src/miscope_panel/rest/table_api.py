"""The variants as one table over HTTP, asked for as the page's own address asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.queue_access import LARGEST
from miscope_panel.rest.run_answers import answered
from miscope_panel.rest.table_answers import TableSeen
from miscope_panel.shown.table_address import read_asked
from miscope_panel.shown.variants_table import table_shown

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["table_router"]

_MOST = 1000
"""Rows on a page."""


@final
class TableWanted(BaseModel):
    """What is asked of the table."""

    model_config = ConfigDict(extra="forbid")

    find: Annotated[
        str, Field(description="Words that a row has: of names, 'seed=1', 'test_loss<1e-3'.", examples=["seed=1"])
    ] = ""
    where: Annotated[
        str, Field(description="A condition in SQL over the columns.", examples=["weight_decay = 1 and prime > 50"])
    ] = ""
    sort: Annotated[str, Field(description="Columns, by comma; 'test_loss:desc' for the largest first.")] = ""
    columns: Annotated[
        str,
        Field(
            description="Columns, by comma; '.min', '.max', '.at' behind a number's name: least, largest, at a step."
        ),
    ] = ""
    group: Annotated[str, Field(description="Columns in which the variants of one row agree, by comma.")] = ""
    at: Annotated[
        int | None,
        Field(ge=0, lt=10**18, description="The step of columns like 'test_loss.at'; nothing for the last."),
    ] = None
    page: Annotated[int, Field(ge=1, le=LARGEST // _MOST, description="Counted from 1.")] = 1
    limit: Annotated[int, Field(ge=1, le=_MOST, description="Rows on a page.")] = 50


def table_router(workspace: Workspace) -> APIRouter:
    """The route over the table of variants."""
    routes = APIRouter(prefix=PREFIX, tags=["workspace"], responses={**PROBLEMS})

    @routes.get("/table", response_model=TableSeen)
    def table(wanted: Annotated[TableWanted, Query()]) -> Response:
        """The variants as one table: found, ordered, grouped, under chosen columns, a page at a time."""
        said = wanted.model_dump(exclude={"page", "limit"}, exclude_none=True)
        asked = read_asked({name: str(value) for name, value in said.items()})
        shown = table_shown(workspace, asked).shown
        return answered(TableSeen.of(shown, page=wanted.page, limit=wanted.limit))

    return routes
