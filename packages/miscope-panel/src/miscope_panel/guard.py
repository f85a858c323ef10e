"""Who may come in: the right host name, no foreign page, the token where one is set. An ASGI layer around it all."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, final
from urllib.parse import parse_qsl, urlencode, urlsplit

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

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


@final
class Guard:
    """Refuses, before anything else sees the request, what does not come from this server's own pages."""

    def __init__(self, app: App, hosts: frozenset[str], token: str | None) -> None:
        """hosts: names this server answers to; '*' for any (then the token alone decides)."""
        self.app, self._hosts, self._token = app, hosts, token

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        status, reason = self._judge(scope, headers)
        if status == 303:
            await _redirect(scope, send, self._token or "")
        elif status:
            await _refuse(scope, send, status, reason)
        else:
            await self.app(scope, receive, _with_policy(send))

    def _judge(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str]:
        host = headers.get("host", "")
        if "*" not in self._hosts and _name(host) not in self._hosts:
            return 400, f"This server does not answer to the name {_name(host)[:_QUOTED]!r}.\n"
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host:
            return 403, f"This server does not answer pages of {origin[:_QUOTED]}.\n"
        if len(scope["query_string"]) > _LONGEST or any(len(part) > _NAME for part in scope["path"].split("/")):
            return 414, f"That address is too long: {_LONGEST} characters after the '?', {_NAME} in a name.\n"
        if self._token is None:
            return 0, ""
        if self._known(headers):
            return 0, ""
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", "")
        if scope["type"] == "http" and given and _same(given, self._token):
            return 303, ""
        return 401, "This server wants its token: open the address that `miscope serve` printed.\n"

    def _known(self, headers: dict[str, str]) -> bool:
        # Not http.cookies, which refuses them all for one whose name it does not like.
        cookies = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        cookie = next((value for name, _, value in cookies if name == COOKIE), "")
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return any(_same(given, self._token or "") for given in (cookie, bearer) if given)


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


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason.strip()})
        return
    body = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
