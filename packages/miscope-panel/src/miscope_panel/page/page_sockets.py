"""The pages and their websockets: what cannot be one is refused in words, and a closed page is given up at once."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bokeh.protocol.exceptions import ProtocolError
from bokeh.util.token import check_token_signature, get_token_payload
from bokeh_fastapi.handler import DocHandler, WSHandler
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from miscope_panel.page.early_head import EarlyHead
from miscope_panel.page.message_turns import MessageTurns

if TYPE_CHECKING:
    from bokeh.server.contexts import ApplicationContext
    from bokeh_fastapi import BokehFastAPI

__all__ = ["route_pages"]

_REFUSED = 1008
"""Close code of a policy that the connection breaks (RFC 6455, section 7.4.1)."""


def route_pages(served: BokehFastAPI, asked: Callable[[], int]) -> None:
    """Put routes of ours before those that bokeh-fastapi made for its pages and their websockets.

    asked: how many of their files were asked for so far.

    Its loop takes the message that a page was closed for one to wait behind (0.1.8): what it waits for then raises,
    and the client stays on its list, and with it the session, its document and everything on the page.
    """
    for url, context in served._applications.items():
        path = f"{url.rstrip('/')}/ws"
        served.app.router.routes.insert(0, WebSocketRoute(path, _endpoint(served, context)))
        served.app.router.routes.insert(0, Route(url, EarlyHead(DocHandler(served, context).get, asked).answer))


def _endpoint(served: BokehFastAPI, context: ApplicationContext) -> Callable[[WebSocket], Awaitable[None]]:
    async def page(websocket: WebSocket) -> None:
        reason = _why_not(served, websocket)
        if reason:
            await websocket.close(_REFUSED, reason)
            return
        handler = WSHandler(served, context)
        handler.send_message = MessageTurns(handler.send_message)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            await handler.ws_connect(websocket)
        except (ProtocolError, RuntimeError):  # the token ran out between our look and theirs
            return
        finally:
            # Each has the other, which would keep both until garbage is collected.
            del handler.send_message
            if handler.connection is not None and handler.connection in served._clients:
                served.client_lost(handler.connection)

    return page


def _why_not(served: BokehFastAPI, websocket: WebSocket) -> str:
    """Why no page can be behind the websocket; "" where one is."""
    match websocket.scope["subprotocols"]:
        case ["bokeh", str(token)]:
            pass
        case _:
            return "This is the websocket of a page; the page itself is at /."
    try:
        expiry = get_token_payload(token)["session_expiry"]
        genuine = check_token_signature(token, signed=served.sign_sessions, secret_key=served.secret_key)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return "The page's token cannot be read; load the page again."
    now = calendar.timegm(dt.datetime.now(tz=dt.UTC).timetuple())
    if not isinstance(expiry, int) or now >= expiry or not genuine:
        return "The page's token has run out; load the page again."
    return ""
