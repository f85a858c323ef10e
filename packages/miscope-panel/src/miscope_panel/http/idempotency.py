"""A request that is sent twice is done once: under its `Idempotency-Key` the answer is kept. An ASGI layer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, final

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from miscope.errors import CannotWrite
from miscope_panel.http import problem
from miscope_panel.http.bounded_body import bounded
from miscope_panel.http.kept_answers import Answer, Claim, KeptAnswers
from miscope_panel.http.problem import CHANGES_NOTHING, PREFIX, FieldProblem, Problem

__all__ = ["HEADER", "PARAMETER", "Idempotent"]

HEADER = "idempotency-key"
_PATTERN = r"^[!-~]+$"
_LONGEST = 255
_WAIT, _LOOK_EVERY = 30.0, 0.05
"""Seconds that the second of two who ask at once waits for the first, and between two looks."""
_SERVER_FAILED = 500

PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Words of one's own. The same request with the same key is done once: for a day it is given the same"
    " answer, with `idempotency-replayed: true`; another request with that key is refused (409).",
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST, "pattern": _PATTERN},
    "example": "norms-of-seed-7",
}
"""As OpenAPI describes it."""

_REFUSED = {
    Claim.ANOTHERS: (
        "KeyUsed",
        "The idempotency key {key!r} was used for another request.\n"
        "For a day a key stands for one request with its path and its body.\nTake another key for this one.",
    ),
    Claim.UNDER_WAY: (
        "UnderWay",
        "The request of the idempotency key {key!r} is under way.\nWhat becomes of it is not known yet.\n"
        "Ask the same again later.",
    ),
    Claim.CUT_OFF: (
        "CutOff",
        "The request of the idempotency key {key!r} was cut off.\n"
        "The server failed or ended at work on it, and may have done it or not.\n"
        "Look whether it was done; where it was not, ask again with another key.",
    ),
}

Message = MutableMapping[str, Any]


@final
class Idempotent:
    """Around the routes; inside of what packs answers and says how long they are kept."""

    def __init__(self, app: Callable[..., Awaitable[None]], answers: KeptAnswers) -> None:
        self.app, self._answers = app, answers

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        key = _key(scope)
        if key is None:
            await self.app(scope, receive, send)
        elif len(key) > _LONGEST or not re.fullmatch(_PATTERN, key):
            await _bad_key()(scope, receive, send)
        else:
            receive, body = await bounded(receive, "")
            try:
                answer = await self._answered(key, scope, receive, _digest(scope, body))
            except CannotWrite as error:
                answer = await problem.of_miscope(HTTPConnection(scope), error)
            await answer(scope, receive, send)

    async def _answered(self, key: str, scope: Message, receive: Any, request: str) -> Response:
        found, until = await run_in_threadpool(self._answers.claim, key, request), time.monotonic() + _WAIT
        while found is Claim.UNDER_WAY and time.monotonic() < until:
            await asyncio.sleep(_LOOK_EVERY)
            found = await run_in_threadpool(self._answers.claim, key, request)
        if found is Claim.OURS:
            return _response(await self._done(key, scope, receive, request))
        if isinstance(found, Answer):
            return _response(found, ("idempotency-replayed", "true"))
        code, message = _REFUSED[found]
        return Problem.of(code, message.format(key=key)).response(409)

    async def _done(self, key: str, scope: Message, receive: Any, request: str) -> Answer:
        """Have it done. The answer is kept before it is sent; where nothing was done the key is free again."""
        messages: list[Message] = []

        async def noted(message: Message) -> None:
            messages.append(message)

        try:
            await self.app(scope, receive, noted)
            answer = _answer(messages)
            if answer.status < 300:
                await run_in_threadpool(self._answers.keep, key, request, answer)
            elif answer.status < _SERVER_FAILED:
                await run_in_threadpool(self._answers.forget, key)
            return answer
        finally:
            self._answers.leave(key)


def _key(scope: Message) -> str | None:
    done = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] not in CHANGES_NOTHING
    if not done or not scope["path"].startswith(f"{PREFIX}/"):
        return None
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == HEADER.encode()), None)


def _digest(scope: Message, body: bytes) -> str:
    """Of path, query and body; the same for bodies that say the same."""
    said = json.dumps(json.loads(body), sort_keys=True) if body.strip() else ""
    parts = (scope["path"].encode(), scope["query_string"], said.encode())
    return hashlib.sha256(b"\n".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _answer(messages: list[Message]) -> Answer:
    start, *parts = messages
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
    kept = tuple((name, value) for name, value in headers if name.lower() != "content-length")
    return Answer(status=start["status"], headers=kept, body=b"".join(part["body"] for part in parts).decode())


def _response(answer: Answer, *more: tuple[str, str]) -> Response:
    return Response(answer.body, answer.status, dict([*answer.headers, *more]))


def _bad_key() -> Response:
    message = f"The request is refused: {HEADER}: it has 1 to {_LONGEST} characters of ASCII, without spaces."
    fields = [FieldProblem(name=HEADER, message=message.partition(f"{HEADER}: ")[2])]
    return Problem.of("BadRequest", message, fields).response(422)
