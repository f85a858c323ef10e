"""What happens to a training, heard over a WebSocket; where the connection is lost, from where one was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.remote.connection import Connection, refusal
from miscope.remote.remote_errors import Unreachable

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["RunEvent", "heard"]

_ENDED = 1000
_SILENCE = 60.0
"""Seconds after which a connection without a sign of life is given up; the server gives one every 15."""
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
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    failures, lost = 0, 0.0
    while True:
        try:
            with _opened(connection, number, since) as socket:
                while True:
                    told = json.loads(socket.recv(timeout=_SILENCE))
                    failures, since = 0, told["seq"]
                    if told["event"] != "heartbeat":
                        yield RunEvent(seq=told["seq"], event=told["event"], ts=told["ts"], data=told["data"])
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == _ENDED:
                return
            reason = str(closed)
        except InvalidStatus as refused:
            if refused.response.status_code not in (429, 503):
                raise refusal(refused.response.status_code, bytes(refused.response.body or b"")) from None
            reason = str(refused)
        except (OSError, EOFError) as error:  # TimeoutError too
            reason = str(error)
        failures += 1
        lost = lost if failures > 1 else time.monotonic()
        if time.monotonic() - lost > patience:
            raise Unreachable(connection.url, reason)
        time.sleep(min(_WAIT * 2 ** (failures - 1), _LONGEST))


def _opened(connection: Connection, number: int, since: int) -> ClientConnection:
    from websockets.sync.client import connect

    headers = {} if connection.token is None else {"authorization": f"Bearer {connection.token}"}
    address = f"ws{connection.url.removeprefix('http')}/ws/training/{number}?since_seq={since}"
    return connect(address, additional_headers=headers)
