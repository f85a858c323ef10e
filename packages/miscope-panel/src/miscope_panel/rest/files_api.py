"""What is known of variants as files, over HTTP: a report, and their numbers step by step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath

from miscope.exporting.row_file import RowKind, row_file
from miscope.store.atomic import temporary_folder
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["files_router"]

_MOST = 100
"""Variants of one file."""

_ReportSuffix = Literal["html", "md", "pdf", "ipynb"]
_RowSuffix = Literal["csv", "parquet"]
_REPORTS: Mapping[_ReportSuffix, str] = {
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "ipynb": "application/x-ipynb+json",
}
_ROWS: Mapping[_RowSuffix, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}

VariantNames = Annotated[
    list[str],
    Query(
        min_length=1,
        max_length=_MOST,
        description="Names of variants, or slugs alone; repeatable.",
        examples=[["modadd.transformer/p113-seed1-dseed598"]],
    ),
]


def _files(kinds: Collection[str]) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {200: {"description": "The file.", "content": content}}


_NO_BROWSER: dict[int | str, dict[str, Any]] = {
    501: {"model": Problem, "description": "There is no browser that draws pictures; html needs none."}
}


def files_router(workspace: Workspace) -> APIRouter:
    """The routes that write files of variants."""
    routes = APIRouter(prefix=PREFIX, tags=["workspace"], responses={**PROBLEMS})

    @routes.get("/report/{suffix}", response_class=Response, responses={**_files(_REPORTS.values()), **_NO_BROWSER})
    def report(
        suffix: Annotated[_ReportSuffix, InPath(description="What is written.", examples=["html"])],
        variant: VariantNames,
        views: Annotated[
            list[str] | None, Query(max_length=1000, description="Views by name or pattern; repeatable.")
        ] = None,
        title: Annotated[str, Query(max_length=255, description="What it is called; of itself, what it is of.")] = "",
    ) -> Response:
        """What is known of variants as one document: tables, events, findings, figures. Nothing is computed for it."""
        chosen = [workspace.find(name) for name in variant]
        content = _written(workspace, chosen, suffix, views or (), title)
        return _attached(content, f"{_stem(chosen)}.report.{suffix}", _REPORTS[suffix])

    @routes.get("/history/{suffix}", response_class=Response, responses=_files(_ROWS.values()))
    def history(
        suffix: Annotated[_RowSuffix, InPath(description="What is written.", examples=["csv"])],
        variant: VariantNames,
        names: Annotated[
            list[str] | None, Query(max_length=1000, description="Columns by name or pattern; repeatable.")
        ] = None,
    ) -> Response:
        """A row for each step of variants: what was recorded while they trained, and single numbers of instruments."""
        from miscope.exporting.history import history as rows

        chosen = [workspace.find(name) for name in variant]
        content = row_file(rows(workspace, chosen, names or ("*",)), RowKind(suffix))
        return _attached(content, f"{_stem(chosen)}.history.{suffix}", _ROWS[suffix])

    return routes


def _written(workspace: Workspace, variants: Sequence[Variant], suffix: str, views: Sequence[str], title: str) -> bytes:
    from miscope.reporting.report import report

    with temporary_folder() as folder:
        path = folder / f"report.{suffix}"
        for _ in report(workspace, variants, path, views=views, title=title):
            pass
        return path.read_bytes()


def _stem(variants: Sequence[Variant]) -> str:
    """The name of a file that is of these variants, without its ending."""
    return variants[0].slug if len(variants) == 1 else f"{len(variants)}-variants"


def _attached(content: bytes, name: str, kind: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
