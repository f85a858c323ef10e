"""One training as it goes on, over a WebSocket: what was missed first, then each event, until it has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, WebSocket
from fastapi.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from miscope.errors import MiscopeError
from miscope.runs.journal import Journal
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED
from miscope_panel.http import problem
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.events_api import LOOK_EVERY
from miscope_panel.rest.queue_access import LARGEST, QueueAccess, RunNumber
from miscope_panel.rest.run_answers import answered
from miscope_panel.rest.training_events import HeartbeatData, ResyncData, TrainingEvent, TrainingEvents, training_event

__all__ = ["CHANNEL", "refuse_values", "watching_router"]

CHANNEL = "/ws/training/{id}"
_ENDED, _GOING_AWAY, _FAILED = 1000, 1001, 1011
"""Close codes (RFC 6455, section 7.4.1)."""
_REASON = 100
"""Characters of what is said on closing, for which a frame has 123 bytes."""
_AT_ONCE = 500

Since = Annotated[int, Query(ge=0, le=LARGEST, description="The last `seq` that one has; 0 for all that is kept.")]

_WEBSOCKET: dict[str, Any] = {
    "path": CHANNEL,
    "query": ["since_seq", "token"],
    "message": {"$ref": "#/components/schemas/TrainingEvent"},
    "close": {
        str(_ENDED): "The training has ended; the last event says how.",
        str(_GOING_AWAY): "The server ends; come back with since_seq.",
        "1012": "As 1001.",
        str(_FAILED): "The queue cannot be read.",
    },
}


def watching_router(access: QueueAccess) -> APIRouter:
    """The channel, and the same events as a list."""
    routes = APIRouter()

    @routes.websocket(CHANNEL)
    @routes.websocket(f"{PREFIX}{CHANNEL}")
    async def watched(websocket: WebSocket, id: RunNumber, since_seq: Since = 0) -> None:
        try:
            run = await run_in_threadpool(access.run, id, "train")
        except MiscopeError as error:
            await _deny(websocket, await problem.of_miscope(websocket, error))
            return
        await websocket.accept()
        await _tell(websocket, access, _Watch(access, run, since_seq))

    @routes.get(
        f"{PREFIX}/trainings/{{id}}/events",
        tags=["trainings"],
        response_model=TrainingEvents,
        responses={**PROBLEMS},
        openapi_extra={"x-websocket": _WEBSOCKET},
    )
    def events(id: RunNumber, since_seq: Since = 0) -> Response:
        """What happened to the training after that `seq`. The WebSocket of `x-websocket` tells the same as it happens,
        a message an event: first what one has not, then what comes, until the training has ended."""
        found = _Watch(access, access.run(id, "train"), since_seq).look()
        return answered(TrainingEvents(events=found, more=len(found) >= _AT_ONCE))

    return routes


class _Watch:
    """How much of one training somebody was told."""

    def __init__(self, access: QueueAccess, run: QueuedRun, since: int) -> None:
        self._access, self._run = access, run
        self._journal = Journal(access.queue.database)
        self._told, self.ended = since, False

    def look(self) -> list[TrainingEvent]:
        """The next events, the earliest first; `resync` before them where one asked for what nobody knows."""
        resync = []
        if self._told and not self._journal.knows(self._run.id, self._told):
            resync = [self._by_the_way("resync", ResyncData(since_seq=self._told))]
            self._told = 0
        noted = self._journal.of(self._run.id, self._told, _AT_ONCE)
        if noted:
            self._told = noted[-1].seq
        self.ended = len(noted) < _AT_ONCE and self._access.queue.run(self._run.id).state in ENDED
        store = self._access.workspace.store
        return [*resync, *(training_event(each, self._run, store) for each in noted)]

    def heartbeat(self) -> TrainingEvent:
        """A sign of life."""
        return self._by_the_way("heartbeat", HeartbeatData())

    def _by_the_way(self, event: Any, data: Any) -> TrainingEvent:
        number = self._run.id
        told: dict[str, Any] = {"seq": self._told, "ts": time.time(), "data": data}
        return TrainingEvent(channel=f"training/{number}", event=event, training_id=number, **told)


async def _tell(websocket: WebSocket, access: QueueAccess, watch: _Watch) -> None:
    gone = asyncio.create_task(_gone(websocket))
    with suppress(WebSocketDisconnect, OSError):  # it left, or took nothing any more
        try:
            async for event in _events(access, watch, gone):
                await websocket.send_text(event.sent())
            if not gone.done():
                code, reason = (_ENDED, "The training has ended.") if watch.ended else (_GOING_AWAY, "The server ends.")
                await websocket.close(code, reason)
        except MiscopeError as error:
            await websocket.close(_FAILED, str(error).partition("\n")[0][:_REASON])
    gone.cancel()


async def _events(access: QueueAccess, watch: _Watch, gone: asyncio.Task[None]) -> AsyncIterator[TrainingEvent]:
    """One look after the other: what a slow client has not taken yet nobody keeps for it but the journal."""
    silent = 0.0
    while not gone.done() and not access.ending():
        events = await run_in_threadpool(watch.look)
        for event in events:
            yield event
        if watch.ended:
            return
        silent = 0.0 if events else silent + LOOK_EVERY
        if silent >= access.heartbeat:
            silent = 0.0
            yield watch.heartbeat()
        if len(events) < _AT_ONCE:
            await asyncio.wait({gone}, timeout=LOOK_EVERY)


async def _gone(websocket: WebSocket) -> None:
    """Until the client leaves; what it says meanwhile is not listened to."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def refuse_values(websocket: Any, error: Exception) -> None:
    """Refuse a channel whose address has a value that cannot be."""
    await _deny(websocket, await problem.of_values(websocket, error))


async def _deny(websocket: WebSocket, refusal: Response) -> None:
    """Refuse the handshake with the one body, or where the server cannot, with a close code."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(refusal)
    else:
        await websocket.close(1008)
