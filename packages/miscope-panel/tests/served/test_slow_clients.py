"""Clients that ask and then read nothing, at a real server: it lets them go, and serves the others meanwhile."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import ExitStack, contextmanager, suppress

import httpx

from miscope.runs.run_state import RunState
from miscope_panel.http import slow_clients

UPGRADE = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {}\r\n"
LISTEN = {
    "/api/v1/events": ("", b"event: seen"),
    "/ws/training/1": (UPGRADE.format("dGhlIHNhbXBsZSBub25jZQ=="), b'"status_changed"'),
}
"""Headers, and what is told before they stop to read."""
ASK = {"/api/v1/trainings/1": "", "/api/v1/runs/1": "connection: close\r\n"}
LONG = "x" * 2**21
"""More than the system keeps for a client."""


@contextmanager
def deaf(url, path, headers, last=b""):
    """A client that asks and reads nothing after `last`."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        client.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n".encode())
        read = b""
        while last not in read:
            read += client.recv(4096)
        yield client


def rest(client):
    """Bytes that still come once it reads again."""
    count = 0
    with suppress(ConnectionError):
        while part := client.recv(2**20):
            count += len(part)
    return count


def test_who_reads_nothing_of_stream_socket_or_answer_is_let_go_with_a_word_and_others_are_served(
    asked_in, served, until, monkeypatch, caplog
):
    monkeypatch.setattr(slow_clients, "TAKE_WITHIN", 0.6)
    api = asked_in()
    api.train()
    api.begin(1)
    said = re.compile(
        r"(\S+) took nothing of the \d+ bytes that wait for it in 0.6 seconds: its connection is closed\."
    )
    with caplog.at_level(logging.WARNING, "miscope.serve"), served(api.workspace) as url, ExitStack() as clients:
        deafs = [clients.enter_context(deaf(url, path, *told)) for path, told in LISTEN.items()]
        api.queue.move(1, RunState.FAILED, LONG)
        deafs += [clients.enter_context(deaf(url, path, headers)) for path, headers in ASK.items()]
        until(lambda: len(caplog.messages) >= len(deafs))
        assert httpx.get(f"{url}/api/v1/trainings/1/log").status_code == 200
        names = {"{}:{}".format(*client.getsockname()) for client in deafs}
        assert all(rest(client) < len(LONG) for client in deafs)
    assert {said.fullmatch(told)[1] for told in caplog.messages} == names
