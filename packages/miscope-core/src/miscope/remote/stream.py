"""What happens to the runs of a server, as server-sent events tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from miscope.remote.connection import Connection, refusal

__all__ = ["changes"]


def changes(connection: Connection, numbers: Sequence[int] = ()) -> Iterator[Mapping[str, Any]]:
    """Each change of these runs, or of any, as `GET /api/v1/events` tells it, until the server ends.

    Unreachable where it is silent for a minute, or gone; who was away asks anew.
    """
    with connection.lines("events", {"id": list(numbers) or None}) as lines:
        event = ""
        for line in lines:
            field, _, text = line.partition(": ")
            if field == "event":
                event = text
            elif field == "data":
                if event == "error":
                    raise refusal(connection.url, 409, text.encode())
                yield json.loads(text)
