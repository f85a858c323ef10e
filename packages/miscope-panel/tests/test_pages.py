from __future__ import annotations

import asyncio
import gc
import re
import weakref

import pytest
from bokeh_fastapi import BokehFastAPI
from fastapi.testclient import TestClient

from miscope_panel import app as app_module
from miscope_panel.app import application
from miscope_panel.guard import LOOPBACK
from miscope_panel.workbench import Workbench

PAGES = 60
HOST = {"host": "127.0.0.1:5006"}

# Panel makes tornado's request as older ones of it were made.
pytestmark = pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")


@pytest.fixture
def made(monkeypatch):
    """Weak references to the workbenches made for visitors."""
    found = []

    def remembered(*given, **named):
        bench = Workbench(*given, **named)
        found.append(weakref.ref(bench))
        return bench

    monkeypatch.setattr(app_module, "Workbench", remembered)
    return found


def token_of(page: str) -> str:
    return re.search(r'"token":\s*"([^"]+)"', page)[1]


def test_a_page_that_is_closed_leaves_nothing_behind(trained, at_once, made):
    guard = application(trained, at_once, hosts=LOOPBACK)
    (served,) = (each for each in gc.get_objects() if type(each) is BokehFastAPI and each.app is guard.app)
    with TestClient(guard, base_url="http://127.0.0.1:5006") as client:
        for _ in range(PAGES):
            token = token_of(client.get("/").text)
            with client.websocket_connect("/ws", subprotocols=["bokeh", token], headers=HOST) as page:
                assert '"msgtype":"ACK"' in page.receive_text().replace(" ", "")
        assert len(made) == PAGES
        assert not served._clients
        client.portal.call(clean, served)
    gc.collect()
    assert [ref() for ref in made if ref() is not None] == []


async def clean(served) -> None:
    """What bokeh's own cleaning does every 17 seconds, with every page unused for longer than none."""
    for context in served._applications.values():
        await context._cleanup_sessions(0)
    await asyncio.sleep(0)
    assert all(not context.sessions for context in served._applications.values())
