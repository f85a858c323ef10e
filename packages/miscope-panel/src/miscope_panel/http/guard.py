"""Who may come in, and with what: the right host name, no foreign page, the token, a body of JSON. An ASGI layer."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple, final
from urllib.parse import parse_qsl, urlencode, urlsplit

from miscope_panel.http.bounded_body import MOST, TooLong, bounded
from miscope_panel.http.problem import CHANGES_NOTHING, PREFIX, Problem
from miscope_panel.http.rates import Rates
from miscope_panel.http.strict_json import fault_of

__all__ = ["LOOPBACK", "Guard"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

COOKIE = "miscope_token"

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline' blob:; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
"""The browser itself then refuses every request to another machine."""

_LONGEST, _NAME, _QUOTED = 8192, 255, 100
"""Characters of a query, of one name in a path, and of what is repeated to whoever sent it."""

_FOR_SCRIPTS = (f"{PREFIX}/", "/ws/training/")

_READS = ("GET", "HEAD", "OPTIONS")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


class _Refusal(NamedTuple):
    status: int
    code: str
    reason: str
    wait: int = 0
    """Seconds after which it may be asked again."""


_TOO_LONG = _Refusal(413, "BodyTooLarge", f"That body is too long: {MOST} bytes are the most.")
_NO_TOKEN = _Refusal(
    401, "Unauthenticated", "This server wants its token: open the address that `miscope serve` printed."
)


@final
class Guard:
    """Refuses, before anything else sees the request, what does not come from this server's own pages or a script."""

    def __init__(
        self,
        app: App,
        hosts: frozenset[str],
        token: str | None,
        *,
        read_only: bool = False,
        rates: Rates | None = None,
    ) -> None:
        """hosts: names this server answers to; '*' for any (then the token alone decides). rates: generous ones."""
        self.app, self._hosts, self._token, self._read_only = app, hosts, token, read_only
        self._rates = Rates() if rates is None else rates

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._judge(scope, headers)
        if refusal in (None, _NO_TOKEN):  # who guesses tokens is slowed down, and no foreign page uses up what is ours
            refusal = self._too_often(scope) or refusal
        if refusal is _NO_TOKEN and self._introduced(scope):
            await _redirect(scope, send, self._token or "")
            return
        if refusal is None and _writes(scope):
            try:
                receive, body = await bounded(receive, headers.get("content-length", ""))
            except TooLong:
                refusal = _TOO_LONG
            else:
                refusal = _no_json(scope, body)
        if refusal is not None:
            await _refuse(scope, send, refusal)
        else:
            await self.app(scope, receive, _with_policy(send))

    def _judge(self, scope: Scope, headers: dict[str, str]) -> _Refusal | None:
        host = headers.get("host", "")
        if "*" not in self._hosts and _name(host) not in self._hosts:
            return _Refusal(400, "WrongHost", f"This server does not answer to the name {_name(host)[:_QUOTED]!r}.")
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host:
            return _Refusal(403, "ForeignOrigin", f"This server does not answer pages of {origin[:_QUOTED]}.")
        if len(scope["query_string"]) > _LONGEST or any(len(part) > _NAME for part in scope["path"].split("/")):
            known = f"it has at most {_LONGEST:,} characters after the '?', and {_NAME} in a name"
            return _Refusal(414, "AddressTooLong", f"That address is too long: {known}.")
        if self._token is not None and not self._known(headers) and not self._opens(scope):
            return _NO_TOKEN
        return self._judge_writing(scope, headers) if _writes(scope) else None

    def _judge_writing(self, scope: Scope, headers: dict[str, str]) -> _Refusal | None:
        # A browser says where a request comes from, though not every one sends an Origin with each.
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _Refusal(403, "ForeignOrigin", "This server takes no such request from the page of another.")
        if self._read_only and scope["path"] not in CHANGES_NOTHING:
            known = "it was started with --read-only, and nothing can be started, changed or deleted here"
            return _Refusal(403, "ReadOnly", f"This server only shows: {known}.")
        kind = headers.get("content-type")
        # A foreign page can send a form, or text, without being asked; JSON and DELETE a browser asks about first.
        if kind is None and scope["method"] == "DELETE":
            return None
        if (kind or "").partition(";")[0].strip().lower() != "application/json":
            return _Refusal(
                415, "WrongContentType", "This server takes JSON alone: send content-type: application/json."
            )
        return None

    def _too_often(self, scope: Scope) -> _Refusal | None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            return None
        drawn = scope["path"].startswith((f"{PREFIX}/figure", f"{PREFIX}/export/", f"{PREFIX}/report/"))
        address = (scope.get("client") or ("",))[0]
        wait = self._rates.wait(address, "draw" if drawn else "change" if _writes(scope) else "look")
        if not wait:
            return None
        seconds = "1 second" if wait == 1 else f"{wait} seconds"
        return _Refusal(429, "TooManyRequests", f"There were too many requests from {address}: wait {seconds}.", wait)

    def _introduced(self, scope: Scope) -> bool:
        """Whether somebody opens the address that has the token in it."""
        reads = scope["type"] == "http" and not _writes(scope)
        return reads and self._in_address(scope)

    def _opens(self, scope: Scope) -> bool:
        """Whether it is a websocket whose address has the token in it: not every client can send a header with one."""
        return scope["type"] == "websocket" and self._in_address(scope)

    def _in_address(self, scope: Scope) -> bool:
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", "")
        return bool(given) and _same(given, self._token or "")

    def _known(self, headers: dict[str, str]) -> bool:
        # Not http.cookies, which refuses them all for one whose name it does not like.
        cookies = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        cookie = next((value for name, _, value in cookies if name == COOKIE), "")
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return any(_same(given, self._token or "") for given in (cookie, bearer) if given)


def _writes(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] not in _READS


def _no_json(scope: Scope, body: bytes) -> _Refusal | None:
    """What is wrong with a body that a script sends."""
    fault = fault_of(body) if scope["path"].startswith(f"{PREFIX}/") else None
    return None if fault is None else _Refusal(400, "MalformedJson", f"The body is no JSON: {fault}.")


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # 'http://[::1' is no address
        return None


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _with_policy(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            extra = [
                (b"content-security-policy", _POLICY.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"no-referrer"),
            ]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sent


async def _redirect(scope: Scope, send: Send, token: str) -> None:
    rest = [(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != "token"]
    # One slash: a path of two would be read as the name of another machine.
    target = "/" + scope["path"].lstrip("/") + (f"?{urlencode(rest)}" if rest else "")
    cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    headers = [(b"location", target.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, send: Send, refusal: _Refusal) -> None:
    opens, for_script = scope["type"] == "websocket", scope["path"].startswith(_FOR_SCRIPTS)
    if opens and not (for_script and "websocket.http.response" in scope.get("extensions", {})):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})
        return
    body = Problem.of(refusal.code, refusal.reason).content() if for_script else f"{refusal.reason}\n".encode()
    kind = b"application/json" if for_script else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    headers += [(b"retry-after", str(refusal.wait).encode())] if refusal.wait else []
    answer = "websocket.http.response" if opens else "http.response"
    await send({"type": f"{answer}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{answer}.body", "body": body})
