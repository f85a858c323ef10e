"""From a workspace to a listening port: one process, this machine only unless a token guards it."""

from __future__ import annotations

import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.errors import BadValue, MiscopeError
from miscope_panel.http.guard import LOOPBACK

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Address", "listen", "serve"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")

_NO_HOST = "--host takes an address of this machine: 127.0.0.1 for it alone, 0.0.0.0 for every network that it is in."

_PAINTERS = 3
"""Figures made side by side; drawing one keeps Python busy, so more would not be sooner."""

_ON_ITS_WAY = 2**18
"""Bytes that the system keeps for a client which takes them slowly; by itself it would keep megabytes for each."""

_TURN = 0.001
"""Seconds after which a thread that draws lets the event loop go on. Python's own 5 ms add up: the loop waits for its
turn, behind each of those who draw, wherever it reads or writes."""


@final
@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to listen and what a visitor must know."""

    host: str = "127.0.0.1"
    port: int = 5006
    """0 takes a free one."""
    token: str | None = None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK

    def check(self) -> None:
        """Raises BadValue for an address that would show the workspace to strangers, or a token too easy to guess."""
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise BadValue(
                "That token cannot be used.",
                "It must be 16 to 128 letters, digits, - or _, so that it cannot be guessed and fits into an address.",
                f"Take this one:  --token {secrets.token_urlsafe(24)}",
            )
        if not self.loopback and self.token is None:
            raise BadValue(
                f"{self.host} can be reached from other machines, and no token was given.",
                "Whoever finds the port would see this workspace.",
                "Add --token SECRET; or leave --host out and use an SSH tunnel:  "
                f"ssh -L {self.port}:127.0.0.1:{self.port} {socket.gethostname()}",
            )

    def url(self, port: int) -> str:
        """What to type into a browser."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{port}/" + (f"?token={self.token}" if self.token else "")


def listen(address: Address) -> socket.socket:
    """A socket bound to the address; MiscopeError if the port is taken or the host is not this machine's."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Only where a socket says that it is TCP does asyncio send the parts of an answer at once; otherwise each but the
    # first waits until the client has confirmed the one before, which it puts off for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_ITS_WAY)
    try:
        bound.bind((address.host, address.port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        busy = f"Another `miscope serve` may be running there; try:  miscope serve --port {(address.port + 1) % 65536}"
        raise MiscopeError(
            f"Cannot listen on {address.host} port {address.port}.",
            f"{error.strerror}." if error.strerror else str(error),
            _NO_HOST if isinstance(error, socket.gaierror) else busy,
        ) from None
    return bound


def serve(workspace: Workspace, address: Address, *, open_browser: bool = False, read_only: bool = False) -> None:
    """Serve the workspace until interrupted. Raises MiscopeError, before anything is served, on a bad address.

    read_only: nothing can be started, changed or deleted; otherwise what waits in the queue is gone on with.
    """
    address.check()
    with listen(address) as bound:
        import uvicorn

        from miscope_panel.app import application
        from miscope_panel.http.connections import BoundedConnection
        from miscope_panel.logs import quiet_logs

        url = address.url(bound.getsockname()[1])
        hosts = LOOPBACK | {address.host} if address.loopback else frozenset({"*"})
        with ThreadPoolExecutor(_PAINTERS, thread_name_prefix="miscope-figure") as pool:
            app = application(
                workspace,
                pool,
                hosts=frozenset(hosts),
                token=address.token,
                read_only=read_only,
                ending=lambda: server.should_exit,
            )
            if not read_only:
                _attend(workspace)
            # Open pages hold their websocket for good, so waiting for them to leave is bounded.
            quiet_logs()
            config = uvicorn.Config(
                app,
                http=BoundedConnection,
                log_level="warning",
                timeout_graceful_shutdown=2,
                lifespan="on",
                # Within one machine packing a picture takes longer than sending it.
                ws_per_message_deflate=not address.loopback,
            )
            server = uvicorn.Server(config)
            print(f"miscope shows {workspace.root}\nat {url}\nCtrl-C ends it.", flush=True)
            if open_browser:
                _open(url)
            with _short_turns(), _quiet_end():
                server.run(sockets=[bound])
            pool.shutdown(wait=False, cancel_futures=True)


def _attend(workspace: Workspace) -> None:
    """Have what waits in the queue gone on with."""
    from miscope.runs.run_queue import RunQueue
    from miscope_panel.attendance import Attendance

    Attendance(RunQueue(workspace.root)).look()


@contextmanager
def _short_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _quiet_end() -> Iterator[None]:
    """uvicorn stops when told to, then sends itself the same signal once more; that one is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _open(url: str) -> None:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return
    webbrowser.open(url)
