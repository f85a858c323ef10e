"""Work of a page that ends while the page's session is still being made."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

from bokeh.document import Document
from bokeh.server.callbacks import SessionCallback
from bokeh.server.session import ServerSession
from panel.io.state import set_curdoc
from tornado.ioloop import IOLoop

from miscope_panel.page.errands import Errands


class LookedAtLate(Document):
    """What is to be called on it is looked at by its session when the pool's work has just come back."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self._session_context = SimpleNamespace
        self.pool, self.looked_at = pool, Event()

    @property
    def session_callbacks(self) -> list[SessionCallback]:
        self.looked_at.set()
        self.pool.shutdown(wait=True)
        return super().session_callbacks


async def page(document: LookedAtLate) -> list[bool]:
    """Where a page sends work, and its session is made while the work is done; what was delivered."""
    delivered: list[bool] = []
    with set_curdoc(document):
        errands = Errands(document.pool)
    errands.open()
    errands.send(lambda: document.looked_at.wait(30), delivered.append)
    session = ServerSession("one", document, IOLoop.current())
    while not delivered:
        await asyncio.sleep(0.01)
    session.destroy()
    return delivered


def test_a_result_that_comes_while_the_session_is_made_is_delivered_once() -> None:
    # On a thread of its own: a browser's tests leave an event loop running on this one.
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as server:
        assert server.submit(lambda: asyncio.run(page(LookedAtLate(pool)))).result(60) == [True]
