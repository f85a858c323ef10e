"""The scripts and styles of components on the page, from modules that are loaded already and from nowhere else."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from panel.io.resources import COMPONENT_PATH
from panel.io.server import ComponentResourceHandler
from tornado.web import HTTPError

from miscope_panel.http.kept_files import FOREVER
from miscope_panel.page.page_component import MODULES, PageComponent

__all__ = ["components"]


def components() -> APIRouter:
    """The routes of our components, and one to stand before Panel's own, which imports any module that an address
    names and fails on odd ones."""
    routes = APIRouter()

    @routes.get(f"{MODULES}/{{module}}/{{name}}/{{digest}}.js", include_in_schema=False)
    def component_module(module: str, name: str, digest: str) -> Response:
        found = sys.modules.get(module)
        # What a module has; asked for what it lacks, some import it.
        component = vars(found).get(name) if isinstance(found, ModuleType) else None
        if not isinstance(component, type) or not issubclass(component, PageComponent) or not component._esm:
            raise HTTPException(404, "No component lies there.")
        # A page that was loaded before the server was started anew asks for what is no more.
        kept = {"cache-control": FOREVER if component.address().endswith(f"/{digest}.js") else "no-store"}
        return Response(str(component._esm), media_type="text/javascript", headers=kept)

    @routes.get(f"/{COMPONENT_PATH.rstrip('/')}/{{path:path}}", include_in_schema=False)
    def component(path: str) -> FileResponse:
        return FileResponse(_resolved(path))

    return routes


def _resolved(path: str) -> str:
    if path.partition("/")[0] not in sys.modules:
        raise HTTPException(404, "No component lies there.")
    # Its method reads attributes of the class alone, so the class stands in for an instance, as in Panel itself.
    handler = cast("ComponentResourceHandler", ComponentResourceHandler)
    try:
        return ComponentResourceHandler.parse_url_path(handler, path)
    except HTTPError as error:
        raise HTTPException(error.status_code, error.log_message) from None
    except (AttributeError, IndexError, KeyError, OSError, TypeError, ValueError):
        raise HTTPException(404, "No component lies there.") from None
