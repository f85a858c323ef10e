"""The web application: REST, the page, and the guard around both, put together for one workspace."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import panel as pn
from bokeh.embed.bundle import extension_dirs
from bokeh.settings import settings
from fastapi import FastAPI
from fastapi.responses import Response

import miscope
from miscope.runs.run_queue import RunQueue
from miscope_panel.attendance import Attendance
from miscope_panel.http.counted_files import CountedFiles
from miscope_panel.http.extension_files import ExtensionFiles
from miscope_panel.http.guard import Guard
from miscope_panel.http.kept_files import KeptFiles
from miscope_panel.http.kept_script import kept_script
from miscope_panel.http.problem import PREFIX
from miscope_panel.page.components import components
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.early_head import BEGUN
from miscope_panel.page.made_files import MadeFiles
from miscope_panel.page.page_sockets import route_pages
from miscope_panel.page.pages import server_context
from miscope_panel.rest.estimating import Estimating
from miscope_panel.rest.queue_access import QueueAccess
from miscope_panel.rest.routes import add_rest
from miscope_panel.shown import plotlyjs

if TYPE_CHECKING:
    import panel_material_ui as pmui

    from miscope.workspace import Workspace

__all__ = ["application"]

_DRAWN_WITH = ("numpy", "pandas", "pyarrow.parquet", "plotly.graph_objects")


def _set_up() -> None:
    """What Panel and Bokeh are told of this process."""
    if "lazy_resources" in pn.config.param:
        # Panel 1.10 would fetch what a component did not declare while it renders, wherever that lies.
        pn.config.lazy_resources = False  # pyright: ignore
    # Panel asks models for what they lack with each change, and Bokeh would look for a like name in vain each time.
    settings.perform_error_diagnostics = False


def application(  # noqa: PLR0913 - each is something else that a server is told
    workspace: Workspace,
    pool: Executor,
    *,
    hosts: frozenset[str],
    token: str | None = None,
    read_only: bool = False,
    ending: Callable[[], bool] = lambda: False,
) -> Guard:
    """The whole application, as ASGI. Figures are made on the pool; hosts, token and read_only as Guard has them.

    ending: whether the server was told to end.
    """
    from panel.io.fastapi import add_applications

    _set_up()
    # FastAPI's own pages of documentation load their scripts from a CDN.
    _warm()
    app = FastAPI(
        title="miscope",
        version=miscope.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    files = _mount_files(app)
    queue = RunQueue(workspace.root)
    summon = Attendance(queue).call
    access = QueueAccess(workspace=workspace, queue=queue, summon=summon, ending=ending, estimating=Estimating(ending))
    add_rest(app, access)
    one = ThreadPoolExecutor(1, thread_name_prefix="miscope-estimate")
    server = server_context(workspace, pool, queue=queue, summon=summon, read_only=read_only)
    server = replace(server, estimates=one, made=MadeFiles(ending))

    def session() -> pmui.Page:
        # The table of runs, which may be looked at later, cannot bring its script then.
        pn.extension("tabulator")
        if (document := pn.state.curdoc) is not None:
            # Bokeh would ask a server that was started anew for a session that only the one before knew, and get the
            # page as it was when it was first loaded.
            document.config.update(reconnect_session=False, notify_connection_status=False)
        return Dashboard(server, _query()).page()

    # Which origins may open the websocket is the guard's affair, which knows the host's name and port.
    app.include_router(components())
    app.include_router(server.made.router())
    served = add_applications({"/": session}, app=app, title="miscope", location=False, websocket_origin=["*"])
    route_pages(served, lambda: files.asked)
    return Guard(app, hosts, token, read_only=read_only)


def _mount_files(app: FastAPI) -> CountedFiles:
    """Scripts, styles and fonts of the page, where Bokeh looks for them; its own are packed for nobody."""
    files = CountedFiles()
    app.mount(BEGUN, files.before(Response(status_code=204, headers={"cache-control": "no-store"})))
    app.mount(plotlyjs.ASSETS, files.before(kept_script(plotlyjs.NAME, plotlyjs.script)))
    app.mount("/static/extensions/{name}", files.before(ExtensionFiles(extension_dirs)))
    app.mount("/static", files.before(KeptFiles(settings.bokehjs_path())))
    return files


def _warm() -> None:
    """Import what drawing imports, on one thread: plotly takes a half-imported pandas or pyarrow for a whole one."""
    for name in _DRAWN_WITH:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)


def _query() -> str:
    arguments = pn.state.session_args
    return urlencode([(name, each.decode("utf-8", "replace")) for name, values in arguments.items() for each in values])
