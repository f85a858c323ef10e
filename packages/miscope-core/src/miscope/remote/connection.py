"""Requests to a server: asked, asked again where that does no harm, and answered by a value or an error."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue, MiscopeError
from miscope.remote.address import Address
from miscope.remote.remote_errors import NotMiscope, Refused
from miscope.remote.silence import unreachable

if TYPE_CHECKING:
    import httpx

__all__ = ["API", "TRIES", "Connection", "refusal"]

API = 1
"""Version of the paths and bodies that are spoken here."""
TRIES = 4
"""How often the same is asked where the connection is lost; after the first, second, ... time it waits longer."""
_WAIT = 0.25
"""Seconds before the second try; twice as long before each after it."""
_CONNECT = 5.0
"""Seconds that a machine may take to say that somebody listens there."""

_SILENCE = 60.0
"""Seconds without a line; the server sends one every 15."""

Query = Mapping[str, object]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    kind: str
    content: bytes


@final
class Connection:
    """To one server; safe to use from several threads."""

    def __init__(self, address: Address) -> None:
        import httpx

        self.address, self.url = address, address.url
        token = {} if address.token is None else {"authorization": f"Bearer {address.token}"}
        self.headers: Mapping[str, str] = token
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v{API}/",
            headers=token,
            timeout=httpx.Timeout(address.seconds, connect=min(_CONNECT, address.seconds)),
            trust_env=not address.here,  # no proxy stands between this machine and itself
        )
        weakref.finalize(self, self._client.close)

    def get(self, path: str, query: Query | None = None) -> Any:
        """What there is; asked again where the connection is lost, for it changes nothing."""
        return self._read(self._answer("GET", path, query))

    def content(self, path: str, query: Query | None = None) -> bytes:
        """The same of what is no JSON."""
        return self._answer("GET", path, query).content

    def post(self, path: str, body: Mapping[str, Any] | None = None, query: Query | None = None) -> Any:
        """What became of it; asked again only where it never came to the server."""
        return self._read(self._answer("POST", path, query, {} if body is None else body))

    def change(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Any:
        """The same of what is to be otherwise in part."""
        return self._read(self._answer("PATCH", path, query, body))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """The same of what is to be this and nothing else."""
        return self._read(self._answer("PUT", path, None, body))

    def delete(self, path: str) -> Any:
        """The same of what is to go."""
        return self._read(self._answer("DELETE", path, None))

    @contextmanager
    def lines(self, path: str, query: Query) -> Iterator[Iterator[str]]:
        """The lines of an answer without end, as they come; Unreachable where it is silent for too long."""
        import httpx

        try:
            with self._client.stream("GET", path, params=_given(query), timeout=_SILENCE) as answer:
                if not answer.is_success:
                    raise refusal(self.url, answer.status_code, answer.read())
                yield answer.iter_lines()
        except httpx.RequestError as error:
            raise unreachable(self.address, error) from None

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()

    def _answer(self, method: str, path: str, query: Query | None, body: object = None) -> _Answer:
        import httpx

        content = None if body is None else _written(body)
        headers = {} if body is None else {"content-type": "application/json"}
        lost = (httpx.ConnectError, httpx.ConnectTimeout) if method != "GET" else (httpx.TransportError,)
        for tried in range(1, TRIES + 1):
            try:
                request = self._client.build_request(
                    method, path, params=_given(query or {}), content=content, headers=headers
                )
                answer = self._whole(request)
            except httpx.InvalidURL as error:
                raise BadValue(f"{path!r} cannot be asked for.", f"{error}.", "Is the name right?") from None
            except httpx.RequestError as error:
                harmless = isinstance(error, lost) and not isinstance(error, httpx.ReadTimeout)
                if not harmless or tried == TRIES:
                    unsure = method != "GET" and not harmless
                    raise unreachable(self.address, error, unsure=unsure) from None
            else:
                if 200 <= answer.status < 300:
                    return answer
                if answer.status not in (429, 503) or tried == TRIES:
                    raise refusal(self.url, answer.status, answer.content)
            time.sleep(_WAIT * 2 ** (tried - 1))
        raise AssertionError("the last try returned or raised")

    def _whole(self, request: httpx.Request) -> _Answer:
        """The answer, within the time that it may take: httpx itself counts anew with each piece."""
        import httpx

        until, content = time.monotonic() + self.address.seconds, bytearray()
        answer = self._client.send(request, stream=True)
        try:
            for piece in answer.iter_bytes():
                content += piece
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("")
        finally:
            answer.close()
        return _Answer(status=answer.status_code, kind=answer.headers.get("content-type", ""), content=bytes(content))

    def _read(self, answer: _Answer) -> Any:
        try:
            text = answer.content.decode()
            return json.loads(text) if answer.kind.startswith("application/json") else text
        except ValueError:
            raise NotMiscope(self.url, "what is no JSON, though it says so") from None


def refusal(url: str, status: int, content: bytes) -> MiscopeError:
    """The server's refusal as an error; of a server that is another's, what it said."""
    try:
        error = json.loads(content)["error"]
        fields = {each["name"]: each["message"] for each in error.get("fields", ())}
        return Refused(status, error["code"], error["message"], fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        said = " ".join(content.decode(errors="replace").split())[:100]
        return NotMiscope(url, f"status {status}" + (f": {said}" if said else ""))


def _given(query: Query) -> Any:
    return {name: value for name, value in query.items() if value is not None}


def _written(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BadValue(
            "What was given cannot be sent to a server.",
            f"{error}.",
            "Give names, numbers, texts, lists and mappings of these: a request is JSON.",
        ) from None
