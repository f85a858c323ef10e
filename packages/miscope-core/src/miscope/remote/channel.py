"""What happens to a training, heard over a WebSocket; where the connection is lost, from where one was."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit

from miscope.errors import MiscopeError
from miscope.remote.connection import Connection, refusal
from miscope.remote.remote_errors import Unreachable

if TYPE_CHECKING:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import ClientConnection

__all__ = ["RunEvent", "heard", "told"]

_ENDED = 1000
_SILENCE = 60.0
"""Seconds after which a connection without a sign of life is given up; the server gives one every 15."""
_OPENING = 10.0
"""Seconds that the server may take to begin."""
_WAIT, _LONGEST = 0.25, 2.0
_PATIENCE = 60.0
"""Seconds for which a server may be away, since it may be started again."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Something that happened to a training."""

    seq: int
    """Of this training's events, ascending, the same for good."""
    event: str
    """'created', 'status_changed', 'progress', 'checkpoint', 'completed', 'failed', 'stopped', ..."""
    ts: float
    """When it was, in seconds of the epoch."""
    data: Mapping[str, Any]
    """What it says, by name; `docs/api.md` has each."""


def heard(connection: Connection, number: int, since: int = 0, *, patience: float = _PATIENCE) -> Iterator[RunEvent]:
    """Each event after that `seq`, until the training has ended; Unreachable where the server stays away so long."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

    failures, lost = 0, 0.0
    while True:
        try:
            with _opened(connection, number, since) as channel:
                while True:
                    said = json.loads(channel.recv(timeout=_SILENCE))
                    failures, since = 0, said["seq"]
                    if said["event"] != "heartbeat":
                        yield _event(said)
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == _ENDED:
                return
            reason = str(closed)
        except InvalidStatus as refused:
            if refused.response.status_code not in (429, 503):
                raise _refusal(connection, refused) from None
            reason = str(refused)
        except (OSError, EOFError, InvalidHandshake) as error:  # TimeoutError too
            reason = str(error)
        failures += 1
        lost = lost if failures > 1 else time.monotonic()
        if time.monotonic() - lost > patience:
            raise Unreachable(connection.url, reason)
        time.sleep(min(_WAIT * 2 ** (failures - 1), _LONGEST))


def told(connection: Connection, number: int, since: int = 0) -> Iterator[RunEvent]:
    """Each event after that `seq` that has happened already."""
    more = True
    while more:
        answer = connection.get(f"trainings/{number}/events", {"since_seq": since})
        events, more = answer["events"], answer["more"]
        yield from map(_event, events)
        since = events[-1]["seq"] if events else since


def _event(said: Mapping[str, Any]) -> RunEvent:
    return RunEvent(seq=said["seq"], event=said["event"], ts=said["ts"], data=said["data"])


def _opened(connection: Connection, number: int, since: int) -> ClientConnection:
    from websockets.sync.client import connect

    parts = urlsplit(connection.url)
    address = f"ws{connection.url.removeprefix('http')}/ws/training/{number}?since_seq={since}"
    headers, within = connection.headers, _OPENING
    if not connection.address.here:
        return connect(address, additional_headers=headers, open_timeout=within)
    # No proxy stands between this machine and itself; websockets looks for one unless it is given the socket.
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    with ExitStack() as failing:
        own = failing.enter_context(socket.create_connection((parts.hostname, port), within))
        opened = connect(address, sock=own, additional_headers=headers, open_timeout=within)
        failing.pop_all()
        return opened


def _refusal(connection: Connection, refused: InvalidStatus) -> MiscopeError:
    return refusal(connection.url, refused.response.status_code, bytes(refused.response.body or b""))
