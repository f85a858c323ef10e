"""Pages as a browser keeps them open, over their websocket, while views take as long as they like."""

from __future__ import annotations

import gc
import json
import logging
import re
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import plotly.graph_objects as go
import pytest
from bokeh_fastapi import BokehFastAPI
from fastapi.testclient import TestClient

from miscope import Grain, View, hookimpl
from miscope.bound import open_bound
from miscope.testing import tables
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK

# Panel makes tornado's request as older ones of it were made.
pytestmark = pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")

HOST = {"host": "127.0.0.1:5006"}
LONG = 120
"""Seconds after which a test gives up, however busy the machine."""


class Slow:
    """A plug-in with two views that are drawn when the gate opens, one that fails, and one that ends the program."""

    def __init__(self) -> None:
        self.drawn, self.begun, self.gate = [], Event(), Event()

    def view(self, name: str) -> View:
        def draw(shown):
            """Waits."""
            self.drawn.append((name, shown.step))
            self.begun.set()
            assert self.gate.wait(LONG)
            return go.Figure()

        return View(name=name, title=name, grain=Grain.CHECKPOINT, draw=draw)

    def module(self) -> types.ModuleType:
        def fails(shown):
            """Fails."""
            raise ZeroDivisionError("division by zero")

        def ends(shown):
            """Ends."""
            sys.exit("enough")

        made = types.ModuleType("slow")
        odd = {"slow.fails": fails, "slow.ends": ends}
        views = [View(name=name, title=name, grain=Grain.CHECKPOINT, draw=draw) for name, draw in odd.items()]
        made.miscope_views = hookimpl(lambda: [self.view("slow.one"), self.view("slow.two"), *views])  # type: ignore
        return made


class Page:
    """An open page: says what a browser says, and hears the rest."""

    def __init__(self, client: TestClient, query: str) -> None:
        token = re.search(r'"token":\s*"([^"]+)"', client.get(f"/?{query}").text)[1]
        # A copy: the first page's token would be written into it, and asked for again.
        self._session = client.websocket_connect("/ws", subprotocols=["bokeh", token], headers=dict(HOST))

    def __enter__(self) -> Page:
        self._socket = self._session.__enter__()
        self.until('"msgtype": "ACK"')
        self.say("PULL-DOC-REQ")
        self._fetched = self.until('"roots"')
        document = json.loads(self._fetched)
        self._cursor = next(part["id"] for part in parts(document) if {"asked", "steps"} <= set(attributes(part)))
        loaded = {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}}
        self.change({"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": loaded})
        return self

    def __exit__(self, *what: object) -> None:
        self._session.__exit__(*what)

    def say(self, kind: str, **content: object) -> None:
        for part in ({"msgid": "1", "msgtype": kind}, {}, content):
            self._socket.send_text(json.dumps(part))

    def change(self, event: dict[str, object]) -> None:
        self.say("PATCH-DOC", events=[event])

    def move(self, step: int) -> None:
        self.change({"kind": "ModelChanged", "model": {"id": self._cursor}, "attr": "asked", "new": step})

    def fetched(self, words: str) -> int:
        """How often these came with the page."""
        return self._fetched.count(words)

    def comes(self, *words: str) -> None:
        """What is drawn before the page is fetched comes with it, what is drawn later in messages."""
        if later := [each for each in words if each not in self._fetched]:
            self.until(*later)

    def until(self, *words: str) -> str:
        """The message by which all these words have been heard, from here on."""
        wanted = set(words)
        while True:
            text = self._socket.receive().get("text", "")
            wanted -= {each for each in wanted if each in text}
            if not wanted:
                return text


def parts(content):
    if isinstance(content, dict):
        yield content
    for inner in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from parts(inner)


def attributes(part):
    return part.get("attributes") or () if part.get("type") == "object" else ()


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(1) as painter:
        yield painter


@pytest.fixture(scope="module")
def plugin():
    return Slow()


@pytest.fixture(scope="module")
def served(trained, plugin, pool):
    # One for all tests: Panel keeps to the event loop that it met first.
    guard = application(open_bound(trained.root, tables(slow=plugin.module())).value, pool, hosts=LOOPBACK)
    with TestClient(guard, base_url="http://127.0.0.1:5006") as client:
        yield client


@pytest.fixture
def slow(plugin):
    plugin.drawn.clear()
    plugin.begun.clear()
    plugin.gate.clear()
    yield plugin
    plugin.gate.set()


def test_the_server_answers_while_a_view_is_drawn_and_of_the_moves_meanwhile_the_last_is_drawn(served, slow):
    with Page(served, "views=slow.one") as page:
        assert slow.begun.wait(LONG)
        for step in (0, 10, 20):
            page.move(step)
            page.until(f"&e={step}&")
            assert served.get("/api/v1/health").json()["status"] == "ok"
        assert not slow.gate.is_set()
        slow.gate.set()
        page.until('["badge","epoch 20"]')
    # What comes then is drawn ahead.
    assert slow.drawn[:2] == [("slow.one", 30), ("slow.one", 20)]


def test_a_page_closed_while_a_view_is_drawn_goes_without_a_word_and_what_waited_is_not_drawn(
    served, slow, pool, caplog
):
    with caplog.at_level(logging.WARNING):
        # Of a step that no test before had drawn.
        with Page(served, "views=slow.one,slow.two&e=10"):
            assert slow.begun.wait(LONG)
        assert served.portal.call(clean, served.app) == 0
        slow.gate.set()
        pool.submit(lambda: None).result(LONG)
        assert served.get("/api/v1/health").status_code == 200
    assert slow.drawn == [("slow.one", 10)]
    assert [record.getMessage() for record in caplog.records] == []


async def clean(guard):
    """What bokeh does every 17 seconds, with every page unused for longer than none; the pages that are left."""
    (pages,) = (each for each in gc.get_objects() if type(each) is BokehFastAPI and each.app is guard.app)
    for context in pages._applications.values():
        await context._cleanup_sessions(0)
    return sum(len(context.sessions) for context in pages._applications.values())


def test_what_goes_wrong_on_the_thread_is_said_on_the_card_and_the_next_is_drawn(served, slow):
    slow.gate.set()
    with Page(served, "views=slow.fails,slow.one") as page:
        page.comes("'slow.fails' could not be drawn: ZeroDivisionError: division by zero", '["badge","epoch 30"]')


def test_that_the_pictures_of_several_cards_are_on_their_way_is_one_message(served, slow):
    slow.gate.set()
    with Page(served, "views=slow.one,slow.two&e=0") as page:
        badges = page.fetched('["badge","epoch 0"]')
        while badges < 2:
            badges += page.until('["badge","epoch 0"]').count('["badge","epoch 0"]')
        slow.gate.clear()
        page.move(20)
        assert page.until('"attr":"pending","new":true').count('"attr":"pending","new":true') == 2
        slow.gate.set()


ENDS = "'slow.ends' was not drawn: it asked the program to end."


def test_a_view_that_ends_the_program_ends_neither_the_thread_nor_the_server(served, slow, name):
    slow.gate.set()
    with Page(served, "views=slow.ends,slow.one") as page:
        page.comes(ENDS, '["badge","epoch 30"]')
    answer = served.get(f"/api/v1/figure?view=slow.ends&variant={name}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"].splitlines()[0]) == (500, "Ended", ENDS)
    assert served.get("/api/v1/health").status_code == 200
