"""A script that the server makes is made once, sent packed to whoever takes it so, and kept."""

from __future__ import annotations

import gzip

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from miscope_panel.http.kept_files import FOREVER
from miscope_panel.http.kept_script import kept_script

SCRIPT = "let prime = 113\n" * 100


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def client(made) -> TestClient:
    def make() -> str:
        made.append("made")
        return SCRIPT

    return TestClient(Starlette(routes=[Mount("/assets/1", kept_script("plot.js", make))]))


def sent(client: TestClient, coding: str):
    with client.stream("GET", "/assets/1/plot.js", headers={"accept-encoding": coding}) as answer:
        return answer, b"".join(answer.iter_raw())


def test_it_is_made_once_for_whoever_takes_it_packed_or_not(client, made):
    packed, bytes_ = sent(client, "gzip, br")
    assert (packed.headers["content-encoding"], gzip.decompress(bytes_).decode()) == ("gzip", SCRIPT)
    plain, bytes_ = sent(client, "identity")
    assert ("content-encoding" in plain.headers, bytes_.decode()) == (False, SCRIPT)
    for answer in (packed, plain):
        assert (answer.headers["cache-control"], answer.headers["vary"]) == (FOREVER, "accept-encoding")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert made == ["made"]


def test_it_is_not_made_before_it_is_asked_for_and_nothing_else_lies_there(client, made):
    assert client.get("/assets/1/other.js").status_code == 404
    assert client.post("/assets/1/plot.js").status_code == 405
    assert made == []
