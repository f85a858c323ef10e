from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import uvicorn
from uvicorn.server import ServerState

from miscope_panel.http import connections
from miscope_panel.http.connections import BoundedConnection
from miscope_panel.serving import Address, listen

GET = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


def run(scene):
    """On a thread of its own: a browser's test before may have left its loop running on this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scene()).result()


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def listening(state=None):
    config = uvicorn.Config(hello, http=BoundedConnection, lifespan="off", log_config=None)
    config.load()
    state, shared = state or ServerState(), {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedConnection(config, state, shared), sock=listen(Address(port=0)))
    return server, server.sockets[0].getsockname()[1]


async def opened(port, count):
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]


async def closed(connections):
    for _, writer in connections:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def asked(connection):
    reader, writer = connection
    writer.write(GET)
    return (await reader.readline()).decode().split(" ", 2)[1]


def test_beyond_the_bound_a_connection_is_refused_in_words_and_below_it_taken_again(monkeypatch, caplog):
    monkeypatch.setattr(connections, "MOST", 8)

    async def scene():
        server, port = await listening()
        async with server:
            kept = await opened(port, 8)
            assert await asked(kept[0]) == "200"
            refused = await opened(port, 5)
            answers = [(await reader.read()).decode() for reader, _ in refused]
            assert {answer.splitlines()[0] for answer in answers} == {"HTTP/1.1 503 Service Unavailable"}
            assert answers[0].endswith(
                "Too many connections are open; close some pages, or try again in a few seconds.\n"
            )
            assert await asked(kept[-1]) == "200"
            await closed([*kept[:6], *refused])
            again = await opened(port, 1)
            while (answer := await asked(again[-1])) == "503":
                again += await opened(port, 1)
            assert answer == "200"
            await closed([*kept[6:], *again])

    with caplog.at_level(logging.WARNING, "miscope.serve"):
        run(scene)
    assert [record.message for record in caplog.records if record.name == "miscope.serve"] == [
        "8 connections are open, and no more are taken until some are closed."
    ]


def test_no_part_of_an_answer_waits_until_the_part_before_it_was_confirmed():
    async def scene():
        state = ServerState()
        server, port = await listening(state)
        async with server:
            (one,) = await opened(port, 1)
            assert await asked(one) == "200"
            (connection,) = state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await closed([one])

    run(scene)


def test_a_connection_on_which_nothing_is_asked_is_closed_and_one_in_use_is_not(monkeypatch):
    monkeypatch.setattr(connections, "_SPEAK_WITHIN", 0.2)

    async def scene():
        server, port = await listening()
        async with server:
            idle, used = await opened(port, 2)
            assert await asked(used) == "200"
            assert await idle[0].read() == b""
            rest = await used[0].readuntil(b"hello")
            assert rest.endswith(b"hello")
            assert await asked(used) == "200"
            await closed([idle, used])

    run(scene)


@pytest.mark.parametrize("part", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nhost: 127"])
def test_half_a_request_does_not_hold_a_connection(monkeypatch, part):
    monkeypatch.setattr(connections, "_SPEAK_WITHIN", 0.2)

    async def scene():
        server, port = await listening()
        async with server:
            (one,) = await opened(port, 1)
            one[1].write(part)
            assert await one[0].read() == b""
            await closed([one])

    run(scene)
