"""What happens to runs as a stream over HTTP: server-sent events, which a browser's EventSource and `curl -N` read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from miscope.errors import MiscopeError
from miscope_panel.http.problem import PREFIX, PROBLEMS, Problem
from miscope_panel.rest.queue_access import LARGEST, QueueAccess
from miscope_panel.rest.run_events import Changes, RunEvent

__all__ = ["HEARTBEAT", "LOOK_EVERY", "events_router", "stream"]

LOOK_EVERY = 0.25
"""Seconds between two looks: so many events of a run come a second at most."""
HEARTBEAT = 15.0
"""Seconds of silence after which a line says that the stream still stands."""

_MOST = 100
_SCHEMA = {"text/event-stream": {"schema": {"$ref": "#/components/schemas/RunEvent"}}}

Number = Annotated[int, Field(ge=1, le=LARGEST)]


def events_router(access: QueueAccess) -> APIRouter:
    """The one route of events."""
    routes = APIRouter(prefix=f"{PREFIX}/events", tags=["events"], responses={422: PROBLEMS[422]})

    @routes.get(
        "",
        response_class=StreamingResponse,
        responses={200: {"model": RunEvent, "content": _SCHEMA, "description": "An event for each change."}},
    )
    async def events(
        request: Request,
        id: Annotated[list[Number] | None, Query(max_length=_MOST, description="Only of these runs.")] = None,
    ) -> StreamingResponse:
        """What happens to runs, as it happens: first how those stand that have not ended, then each change; of changes
        that come faster than four a second the last. Who was away asks for the list anew."""

        async def gone() -> bool:
            return access.ending() or await request.is_disconnected()

        told = stream(Changes(access.queue, frozenset(id or ())), gone=gone)
        return StreamingResponse(told, media_type="text/event-stream", headers={"cache-control": "no-store"})

    return routes


async def stream(changes: Changes, *, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """The events as text, until the listener is gone or the queue cannot be read, which is the last that is told."""
    silent = HEARTBEAT  # so that the first line comes at once, though nothing happens
    while not await gone():
        try:
            events = await run_in_threadpool(changes.look)
        except MiscopeError as error:
            yield f"event: error\ndata: {Problem.of(type(error).__name__, str(error)).content().decode()}\n\n"
            return
        for event in events:
            yield event.sent()
        silent = 0.0 if events else silent + LOOK_EVERY
        if silent >= HEARTBEAT:
            silent = 0.0
            yield ": nothing happened\n\n"
        await asyncio.sleep(LOOK_EVERY)
