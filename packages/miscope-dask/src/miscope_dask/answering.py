"""Whether a scheduler answers at an address: asked before a client is made, which would go on trying by itself."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from distributed import Security
from distributed.comm.core import connect
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketError

from miscope.errors import MiscopeError

__all__ = ["NoScheduler", "check_scheduler"]

_STRANGE = (MemoryError, LookupError, WebSocketError, HTTPClientError)
"""What dask raises for an answer that is none of its own: it takes the first bytes for a length."""


class NoScheduler(MiscopeError):
    """An address at which no scheduler answers, or no longer."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"No dask scheduler answers at {address}.",
            reason,
            "Start one (`dask scheduler`, which prints its address), or leave --scheduler out:"
            " the workers are then processes of this machine.",
        )


def check_scheduler(address: str, patience: float) -> None:
    """Raises NoScheduler where within so many seconds none has answered."""
    with ThreadPoolExecutor(1, "miscope-dask-asking") as asking:
        # A notebook's own thread runs a loop already.
        kind = asking.submit(asyncio.run, _who_answers(address, patience)).result()
    if kind != "Scheduler":
        raise NoScheduler(address, f"What answers there is a {kind.lower()}, and a scheduler's address is another.")


async def _who_answers(address: str, patience: float) -> str:
    """'Scheduler', 'Worker', 'Nanny', as dask calls it."""
    asked = None
    try:
        async with asyncio.timeout(patience + 1):
            asked = await connect(address, timeout=patience, **Security().get_connection_args("client"))
            await asked.write({"op": "identity", "reply": True})
            return str((await asked.read())["type"])
    except (OSError, ValueError, TypeError, RuntimeError, ImportError, *_STRANGE) as error:
        raise NoScheduler(address, _reason(address, error)) from error
    finally:
        if asked is not None:
            asked.abort()


def _reason(address: str, error: BaseException) -> str:
    if isinstance(error, _STRANGE):
        return "Something else does: it does not speak dask's protocol."
    if isinstance(error, TypeError) and address.startswith(("tls:", "wss:")):
        return "It asks for certificates, and dask's settings name none (distributed.comm.tls)."
    text = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {text}" if text else "Something takes connections there, and says nothing."
