"""All routes under /api/v1, and how whatever they refuse is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.exceptions import HTTPException

from miscope.errors import MiscopeError
from miscope.studies.templates import Templates
from miscope_panel.http import problem
from miscope_panel.http.compressing import Compressed
from miscope_panel.http.idempotency import Idempotent
from miscope_panel.http.kept_answers import KeptAnswers
from miscope_panel.rest import workspace_api
from miscope_panel.rest.analyses_api import analyses_router
from miscope_panel.rest.annotation_api import annotation_router
from miscope_panel.rest.caching import Cached
from miscope_panel.rest.events_api import events_router
from miscope_panel.rest.families_api import families_router
from miscope_panel.rest.files_api import files_router
from miscope_panel.rest.openapi import describe, operation_name
from miscope_panel.rest.runs_api import runs_router
from miscope_panel.rest.saved_views_api import saved_views_router
from miscope_panel.rest.studies_api import studies_router
from miscope_panel.rest.table_api import table_router
from miscope_panel.rest.templates_api import templates_router
from miscope_panel.rest.trainings_api import trainings_router
from miscope_panel.rest.variants_api import variants_router
from miscope_panel.rest.watching_api import refuse_values, watching_router

if TYPE_CHECKING:
    from miscope_panel.rest.queue_access import QueueAccess

__all__ = ["add_rest"]


def add_rest(app: FastAPI, access: QueueAccess) -> None:
    """Add them to the application."""
    templates = Templates(access.workspace)
    for routes in (
        workspace_api.router(access.workspace),
        variants_router(access.workspace),
        table_router(access.workspace),
        saved_views_router(access.workspace),
        annotation_router(access.workspace),
        files_router(access.workspace),
        families_router(access.workspace.plugins),
        trainings_router(access),
        runs_router(access),
        analyses_router(access),
        studies_router(access, templates),
        templates_router(access.workspace, templates),
        events_router(access),
        watching_router(access),
    ):
        app.include_router(routes, generate_unique_id_function=operation_name)
    describe(app)
    app.add_middleware(Idempotent, answers=KeptAnswers(access.workspace.store.layout.answers))
    app.add_middleware(Cached)
    app.add_middleware(Compressed)
    app.add_exception_handler(MiscopeError, problem.of_miscope)
    app.add_exception_handler(RequestValidationError, problem.of_values)
    app.add_exception_handler(WebSocketRequestValidationError, refuse_values)
    app.add_exception_handler(HTTPException, problem.of_http)
    app.add_exception_handler(Exception, problem.of_fault)
