"""What scripts may look at over HTTP, under /api/v1: variants, views, figures, in the words of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

import miscope
from miscope.analyzer import Grain
from miscope.figures.availability import analyzer_availability
from miscope.figures.export import with_preset
from miscope.figures.finding import find as find_words
from miscope.figures.finding import findable_records
from miscope.hookspecs import HOOK_API
from miscope.jsonable import jsonable
from miscope.plugins.plugins import Plugins
from miscope.store.origin import origin_of
from miscope.train_request import changes_of_training
from miscope.view import View
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem
from miscope_panel.rest.caching import tagged
from miscope_panel.rest.figure_files import FigureFiles
from miscope_panel.rest.workspace_answers import Availability, FigureSeen, Health, PluginsSeen, VariantSeen, ViewSeen
from miscope_panel.shown import picture

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.inventory import Stored
    from miscope.workspace import Workspace

__all__ = ["VariantName", "router"]

_KINDS = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "npz": "application/octet-stream",
}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS.values()},
    },
    501: {"model": Problem, "description": "There is no browser that draws the image; html needs none."},
}
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what `if-none-match` says the asker has."}}

Name = Annotated[str, Query(description="The view's name.", examples=["learning.losses"])]
VariantName = Annotated[
    str, Query(description="A variant's name, or its slug alone.", examples=["modadd.transformer/p113-seed1-dseed598"])
]
Step = Annotated[int | None, Query(description="Of the checkpoint; the nearest earlier one that was computed.")]
Words = Annotated[
    str | None,
    Query(description="Of names, titles, questions, formulas, sources and synonyms.", examples=["hessian"]),
]
Preset = Annotated[
    str | None,
    Query(description="Of a picture, as a paper has it: its width, and its letters.", examples=["paper:85mm:8pt"]),
]
Suffix = Annotated[
    str, InPath(description="What kind of file.", json_schema_extra={"enum": [*_KINDS]}, examples=["png"])
]


def router(workspace: Workspace) -> APIRouter:
    """The routes over one workspace. Plain functions: FastAPI runs them on threads, never on the event loop; all but
    one that does nothing, and answers though every thread is taken."""
    files = FigureFiles()
    routes = APIRouter(prefix=PREFIX, tags=["workspace"], responses={**PROBLEMS}, lifespan=files.lifespan)

    @routes.get("/health", response_model=Health)
    async def health() -> Health:
        """That this is miscope, and which workspace it shows."""
        return Health(version=miscope.__version__, workspace=str(workspace.root))

    @routes.get("/variants", response_model=list[VariantSeen])
    def variants() -> list[dict[str, Any]]:
        """Every stored variant with its parameters and checkpoints, and why one cannot be opened."""
        return [_variant(workspace, stored) for stored in workspace.inventory()]

    @routes.get("/views", response_model=list[ViewSeen])
    def views(find: Words = None) -> list[dict[str, Any]]:
        """Every installed view by name, or those that have some words, the best first."""
        return [_view(workspace.plugins, workspace.plugins.views[name]) for name in _found(workspace.plugins, find)]

    @routes.get("/plugins", response_model=PluginsSeen)
    def plugins() -> dict[str, Any]:
        """The version of the hooks, what is installed, by whom, and what could not be loaded."""
        return _plugins(workspace.plugins)

    @routes.get("/availability", response_model=Availability)
    def availability(variant: VariantName) -> dict[str, Any]:
        """For a variant: which views have something to show, and the steps of each artifact."""
        return _availability(workspace, variant)

    _add_figures(routes, workspace, files)
    return routes


def _add_figures(routes: APIRouter, workspace: Workspace, files: FigureFiles) -> None:
    @routes.get("/figure", responses={200: {"model": FigureSeen}, **_UNCHANGED})
    def figure(request: Request, view: Name, variant: VariantName, step: Step = None) -> Response:
        """A figure as Plotly JSON. step: nearest earlier one that was computed; `with`: variants to compare, by comma;
        any other parameter is a control of the view."""
        return tagged(request, _json(picture.figure(workspace, _asked(request, view, variant, step))))

    @routes.get("/export/{suffix}", response_class=Response, responses={**_FILES, **_UNCHANGED})
    def file(  # noqa: PLR0913 - parameters of an address
        request: Request, suffix: Suffix, view: Name, variant: VariantName, *, step: Step = None, preset: Preset = None
    ) -> Response:
        """The same figure as a file: png, svg, pdf, html; csv, parquet or npz for the numbers it draws."""
        drawn = picture.figure(workspace, _asked(request, view, variant, step))
        return tagged(request, _file(files, with_preset(drawn, Path(f"figure.{suffix}"), preset), suffix))


def _json(figure: Figure) -> Response:
    return Response(figure.to_json(), media_type="application/json")


def _asked(request: Request, view: str, variant: str, step: int | None) -> picture.Request:
    given = {k: v for k, v in request.query_params.items() if k not in ("view", "variant", "step", "with", "preset")}
    compared = tuple(name for name in request.query_params.get("with", "").split(",") if name)
    return picture.Request(view=view, variant=variant, step=step, compared=compared, controls=given)


def _file(files: FigureFiles, figure: Figure, suffix: str) -> Response:
    about = figure.layout.meta["miscope"]  # pyright: ignore[reportAttributeAccessIssue]
    variant = about["variant"] if isinstance(about["variant"], str) else about["variant"][0]
    at = "" if about["step"] is None else f".step_{about['step']}"
    name = f"{variant.partition('/')[2]}.{about['view']}{at}.{suffix}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(files.content(figure, suffix), media_type=_KINDS[suffix], headers=headers)


def _variant(workspace: Workspace, stored: Stored) -> dict[str, Any]:
    steps = workspace.store.steps(stored.name) if stored.own else []
    family = stored.name.partition("/")[0]
    return {
        "name": stored.name,
        "family": family,
        "installed": family in workspace.plugins.families,
        "params": None if stored.record is None else jsonable(stored.record.params),
        "training": None if stored.variant is None else changes_of_training(stored.variant),
        "origin": None if stored.record is None else origin_of(stored.record.facts),
        "checkpoints": len(steps),
        "last_step": steps[-1] if steps else None,
        "problem": stored.problem or None,
    }


def _view(plugins: Plugins, view: View) -> dict[str, Any]:
    return {
        "name": view.name,
        "title": view.title,
        "summary": view.summary,
        "grain": view.grain.value,
        "reads": list(view.needs.reads),
        "controls": [control.name for control in view.all_controls],
        "package": str(plugins.provided_by["view", view.name]),
    }


def _found(plugins: Plugins, words: str | None) -> list[str]:
    if words is None or not words.strip():
        return sorted(plugins.views)
    return [found.name for found in find_words(words, findable_records(plugins, plugins.views.values())).found]


def _plugins(plugins: Plugins) -> dict[str, Any]:
    by_provider = [
        {
            "plugin": p.plugin,
            "package": p.package,
            "version": p.version,
            "provides": sorted(f"{kind} {name}" for (kind, name), q in plugins.provided_by.items() if q == p),
        }
        for p in plugins.providers
    ]
    broken = [
        {"plugin": b.plugin, "package": b.package, "version": b.version, "record": b.record, "reason": b.reason}
        for b in plugins.broken
    ]
    return {"hook_api": HOOK_API, "plugins": by_provider, "broken": broken}


def _availability(workspace: Workspace, variant: str) -> dict[str, Any]:
    value, plugins = workspace.find(variant), workspace.plugins
    alone = (name for name, analyzer in sorted(plugins.analyzers.items()) if analyzer.grain is not Grain.COHORT)
    instruments = (analyzer_availability(workspace, name, [value]) for name in alone)
    artifacts = {
        instrument.name: {
            "present": instrument.state == "there",
            "steps": list(instrument.steps),
            "state": instrument.state,
            "reason": instrument.reason or None,
        }
        for instrument in instruments
    }
    states = {name: picture.why_not(workspace, view, value) for name, view in sorted(plugins.views.items())}
    views = {name: {"state": state, "reason": reason} for name, (state, reason) in states.items()}
    return {"variant": value.name, "artifacts": artifacts, "views": views}
