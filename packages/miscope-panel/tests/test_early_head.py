"""A page's head is on its way before its session is made, and the page is the same page all the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse

from miscope_panel.app import application
from miscope_panel.http.counted_files import CountedFiles
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.page.early_head import EarlyHead, head_of, prepared, rest_of
from miscope_panel.shown.plotlyjs import BUNDLE

T = TypeVar("T")

pytestmark = pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")

HEAD = '<html>\n<head>\n<script src="static/js/bokeh.js?v=1"></script>\n<style>\n  a {}\n</style>\n'
PAGES = [f"{HEAD}</head>\n<body>{number}</body>\n" for number in (1, 2)]


def run(scene: Coroutine[Any, Any, T]) -> T:
    """On a thread of its own: a browser's tests leave an event loop running on this one."""
    with ThreadPoolExecutor(1) as server:
        return server.submit(asyncio.run, scene).result(60)


def made(*pages: str):
    """What makes these pages, one after the other, and notes when."""
    turns, waiting = [], list(pages)

    async def make(request: Request) -> HTMLResponse:
        turns.append("made")
        return HTMLResponse(waiting.pop(0))

    return make, turns


async def answers(pages: EarlyHead, turns: list[str], times: int) -> list[list[str]]:
    """The parts of that many answers; what was sent is noted among the turns."""
    found = []
    for _ in range(times):
        answer = await pages.answer(Request({"type": "http", "method": "GET"}))
        parts = []
        if isinstance(answer, StreamingResponse):
            async for part in answer.body_iterator:
                turns.append("sent")
                parts.append(str(part))
        else:
            turns.append("sent")
            parts.append(bytes(answer.body).decode())
        found.append(parts)
    return found


def test_the_second_visitor_gets_the_head_before_the_session_is_made():
    make, turns = made(PAGES[0], PAGES[1])
    first, second = run(answers(EarlyHead(make), turns, 2))
    assert turns == ["made", "sent", "sent", "made", "sent"]
    assert "".join(first) == prepared(PAGES[0])
    assert "".join(second) == prepared(PAGES[1])
    assert second[0] == head_of(prepared(PAGES[0]))


def test_the_session_is_made_once_no_more_files_are_asked_for():
    """Three are asked for, one pause after the other; a browser that asks without end is not waited for."""
    make, turns = made(*PAGES)
    asked = iter([0, 1, 2, 3, 3])
    run(answers(EarlyHead(make, lambda: next(asked)), turns, 2))
    assert next(asked, None) is None
    endless = iter(range(10**6))
    pages = EarlyHead(made(*PAGES)[0], lambda: next(endless))
    run(answers(pages, [], 2))
    assert next(endless) == 11


def test_a_browser_is_waited_for_until_it_asks_for_something():
    """It needs a while for a process of its own; one that never asks is not waited for without end."""
    asked = iter([0, 0, 0, 1, 1])
    run(answers(EarlyHead(made(*PAGES)[0], lambda: next(asked)), [], 2))
    assert next(asked, None) is None
    silent = iter([0] * 11)
    run(answers(EarlyHead(made(*PAGES)[0], lambda: next(silent)), [], 2))
    assert next(silent, None) is None


def test_what_every_browser_asks_for_is_counted_and_kept_by_none(client):
    assert 'fetch("/assets/begun/")' in client.get("/").text
    answer = client.get("/assets/begun/")
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (204, b"", "no-store")


def test_of_another_head_only_what_was_not_sent_comes_after_it():
    sent = "<head>\n<script src=a></script>\n<script src=old></script>\n<style>\n  a {}\n</style>\n"
    new = "<script src=new></script>\n<style>\n  a {}\n  b {}\n</style>\n"
    page = f"<head>\n<script src=a></script>\n{new}</head>\n<body></body>\n"
    assert rest_of(page, sent) == f"{new}</head>\n<body></body>\n"
    assert rest_of(page, "") == page
    assert rest_of(page, head_of(page)) == "</head>\n<body></body>\n"


def test_what_has_no_head_is_sent_whole_and_the_next_begins_with_none():
    make, turns = made("no such page", PAGES[1])
    first, second = run(answers(EarlyHead(make), turns, 2))
    assert (first, "".join(second)) == (["no such page"], prepared(PAGES[1]))


@pytest.fixture
def client(trained, at_once) -> TestClient:
    return TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006")


def test_a_page_that_is_visited_again_is_as_whole_as_the_first(client):
    first, second = client.get("/").text, client.get("/").text
    # Tokens and ids are each page's own; nothing else is.
    own = re.compile(r"[\w-]{36}|\bp\d+\b|\"token\":\"[^\"]+\"")
    assert own.sub("", first) == own.sub("", second)
    assert second.count("<head>") == second.count("</head>") == second.count("</html>") == 1


def test_what_a_browser_asks_for_to_show_a_page_is_counted():
    async def file(scope, receive, send):
        seen.append(files.asked)

    files, seen = CountedFiles(), []
    run(files.before(file)({}, None, None))
    assert (seen, files.asked) == ([1], 2)


def test_plotly_is_the_first_script_and_keeps_no_other_from_running(client):
    scripts = re.findall(r"<script[^>]*>", client.get("/").text)
    assert scripts[0] == f'<script async src="{BUNDLE}" onerror="this.remove()">'


def test_no_script_of_a_page_is_asked_for_again_by_a_browser_that_has_it(client):
    page = client.get("/").text
    files = re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+)"', page)
    assert len(files) > 10
    asked_again = [
        file for file in files if "immutable" not in client.get(f"/{file.lstrip('/')}").headers["cache-control"]
    ]
    assert asked_again == []


def test_modules_of_this_server_are_loaded_by_the_browser_itself(client):
    page = client.get("/").text
    assert page.index("es-module-shims") < page.index("window.importShim =") < page.index("bokeh.min.js")


def test_whoever_asks_for_the_head_of_the_answer_alone_has_no_session_made():
    make, turns = made()
    answer = run(EarlyHead(make).answer(Request({"type": "http", "method": "HEAD"})))
    assert (answer.status_code, answer.body, turns) == (200, b"", [])


def test_a_page_goes_out_unpacked_because_packing_would_keep_its_head_back(client):
    answer = client.get("/", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
