"""Open pages of a workspace and close them, one after the other; print how many were made, and how many still live.

Run by itself: in a process that has served and collected other things, what lives on may be theirs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bokeh_fastapi import BokehFastAPI
from fastapi.testclient import TestClient

from miscope.bound import open_bound
from miscope.testing import tables
from miscope_panel import app as app_module
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.page.dashboard import Dashboard

HOST = {"host": "127.0.0.1:5006"}


def main(root: Path, pages: int) -> None:
    made: list[weakref.ref[Dashboard]] = []

    def remembered(*given, **named):
        board = Dashboard(*given, **named)
        made.append(weakref.ref(board))
        return board

    app_module.Dashboard = remembered
    with ThreadPoolExecutor(1) as pool:
        guard = application(open_bound(root, tables()).value, pool, hosts=LOOPBACK)
        (served,) = (each for each in gc.get_objects() if type(each) is BokehFastAPI)
        with TestClient(guard, base_url="http://127.0.0.1:5006") as client:
            for _ in range(pages):
                token = re.search(r'"token":\s*"([^"]+)"', client.get("/" if len(made) % 2 else "/?page=jobs").text)[1]
                # A copy: what is asked for first would be written into it, and asked for again.
                with client.websocket_connect("/ws", subprotocols=["bokeh", token], headers=dict(HOST)) as page:
                    assert '"msgtype":"ACK"' in page.receive_text().replace(" ", "")
            connected = len(served._clients)
            sessions = client.portal.call(clean, served)
    gc.collect()
    alive = sum(ref() is not None for ref in made)
    print(json.dumps({"made": len(made), "connected": connected, "sessions": sessions, "alive": alive}))


async def clean(served: BokehFastAPI) -> int:
    """What bokeh's own cleaning does every 17 seconds, with every page unused for longer than none."""
    for context in served._applications.values():
        await context._cleanup_sessions(0)
    await asyncio.sleep(0)
    return sum(len(context.sessions) for context in served._applications.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
