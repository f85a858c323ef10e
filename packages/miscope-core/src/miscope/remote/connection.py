"""Requests to a server: asked, asked again where that does no harm, and answered by a value or an error."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit

from miscope.remote.remote_errors import Refused, Unreachable

if TYPE_CHECKING:
    import httpx

__all__ = ["TRIES", "Connection", "refusal"]

TRIES = 4
"""How often the same is asked where the connection is lost; after the first, second, ... time it waits longer."""
_WAIT = 0.25
"""Seconds before the second try; twice as long before each after it."""

Query = Mapping[str, object]


@final
class Connection:
    """To one server; safe to use from several threads."""

    def __init__(self, url: str, token: str | None, seconds: float) -> None:
        """seconds: that an answer may take."""
        import httpx

        parts = urlsplit(url)
        self.url, self.token = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", token
        here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers={} if token is None else {"authorization": f"Bearer {token}"},
            timeout=seconds,
            trust_env=not here,  # no proxy stands between this machine and itself
        )
        weakref.finalize(self, self._client.close)

    def get(self, path: str, query: Query | None = None) -> Any:
        """What there is; asked again where the connection is lost, for it changes nothing."""
        return _read(self._answer("GET", path, query))

    def content(self, path: str, query: Query | None = None) -> bytes:
        """The same of what is no JSON."""
        return self._answer("GET", path, query).content

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What became of it; asked again only where it never came to the server."""
        return _read(self._answer("POST", path, None, {} if body is None else body))

    def delete(self, path: str) -> Any:
        """The same of what is to go."""
        return _read(self._answer("DELETE", path, None))

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()

    def _answer(self, method: str, path: str, query: Query | None, body: object = None) -> httpx.Response:
        import httpx

        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        harmless = (httpx.ConnectError, httpx.ConnectTimeout) if method != "GET" else (httpx.TransportError,)
        params: Any = {name: value for name, value in (query or {}).items() if value is not None}
        for tried in range(1, TRIES + 1):
            try:
                answer = self._client.request(method, path, params=params, content=content, headers=headers)
            except httpx.TransportError as error:
                if not isinstance(error, harmless) or tried == TRIES:
                    raise Unreachable(self.url, str(error)) from None
            else:
                if answer.is_success:
                    return answer
                if answer.status_code not in (429, 503) or tried == TRIES:
                    raise refusal(answer.status_code, answer.content)
            time.sleep(_WAIT * 2 ** (tried - 1))
        raise AssertionError("the last try returned or raised")


def refusal(status: int, content: bytes) -> Refused:
    """The server's refusal as an error; of a server that is another's, what it said."""
    try:
        error = json.loads(content)["error"]
        fields = {each["name"]: each["message"] for each in error.get("fields", ())}
        return Refused(status, error["code"], error["message"], fields)
    except (ValueError, KeyError, TypeError):
        said = content.decode(errors="replace").strip()[:200]
        return Refused(
            status,
            "Unexpected",
            f"What answered with status {status} is no server of miscope.\n{said}\nIs the address right?",
        )


def _read(answer: httpx.Response) -> Any:
    return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.text
