"""Work of a page that ends while the page's session is still being made."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event, get_ident
from types import SimpleNamespace

import panel as pn
from bokeh.document import Document
from bokeh.models import Div
from bokeh.server.callbacks import SessionCallback
from bokeh.server.session import ServerSession
from panel.io import document as panel_document
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


async def waited_for(document: LookedAtLate) -> list[int]:
    """On which threads what was to be called later was called, of a page that stands and of one that is closed."""
    called: list[int] = []
    with set_curdoc(document):
        errands = Errands(document.pool)
    errands.open()
    session = ServerSession("one", document, IOLoop.current())
    errands.later(0.0, lambda: called.append(get_ident()))
    while not called:
        await asyncio.sleep(0.01)
    session.destroy()
    document._session_context = None
    errands.later(0.0, lambda: called.append(-1))
    await asyncio.sleep(0.05)
    return [*called, get_ident()]


def test_what_is_to_be_called_later_is_called_on_the_event_loop_of_a_page_that_stands() -> None:
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as server:
        called, loop = server.submit(lambda: asyncio.run(waited_for(LookedAtLate(pool)))).result(60)
    assert called == loop


class Counted(Document):
    """Counts what is to be called on it."""

    def __init__(self) -> None:
        super().__init__()
        self._session_context = SimpleNamespace
        self.called = 0

    def add_next_tick_callback(self, callback):
        self.called += 1
        return super().add_next_tick_callback(callback)


async def results(fails: int | None) -> tuple[list[int], int]:
    """What of three results that came together was delivered, where one fails to be, and in how many turns."""
    document, delivered = Counted(), []
    pool = ThreadPoolExecutor(1)
    with set_curdoc(document):
        errands = Errands(pool)
    errands.open()
    session = ServerSession("one", document, IOLoop.current())

    def deliver(number: int) -> None:
        if number == fails:
            raise ZeroDivisionError
        delivered.append(number)

    for number in range(3):
        errands.send(lambda number=number: number, deliver)
    # The event loop, which this holds up, hears of all of them then.
    pool.shutdown(wait=True)
    while 2 not in delivered:
        await asyncio.sleep(0.01)
    session.destroy()
    return delivered, document.called


def test_results_that_came_together_are_delivered_together_and_one_that_fails_keeps_back_no_other() -> None:
    with ThreadPoolExecutor(1) as server:
        assert server.submit(lambda: asyncio.run(results(None))).result(60) == ([0, 1, 2], 1)
        assert server.submit(lambda: asyncio.run(results(0))).result(60) == ([1, 2], 2)


async def messages(sent: list[str]) -> None:
    """Two that come together, each the value of one property, to a page whose browser listens."""
    document, pool, message = Document(), ThreadPoolExecutor(1), Div()
    document.add_root(message)
    session = ServerSession("one", document, IOLoop.current())
    context = SimpleNamespace(session=session)
    document._session_context = lambda: context  # type: ignore[assignment]
    pn.state._loaded[document], pn.state._thread_id_[document] = True, get_ident()
    with set_curdoc(document):
        errands = Errands(pool)
    errands.open()
    for text in ("of run 1", "of run 2"):
        errands.send(lambda text=text: text, partial(setattr, message, "text"))
    pool.shutdown(wait=True)
    while message.text != "of run 2" or not sent:
        await asyncio.sleep(0.01)
    session.destroy()


def test_of_messages_that_come_together_none_takes_the_place_of_another(monkeypatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(panel_document, "write_events", lambda page, to, events: sent.extend(e.new for e in events))
    with ThreadPoolExecutor(1) as server:
        server.submit(lambda: asyncio.run(messages(sent))).result(60)
    assert sent == ["of run 1", "of run 2"]


async def fetched(early: bool, connected: int) -> tuple[list[int], list[int]]:
    """What of a result was delivered before the page is loaded, and after that."""
    document, pool, delivered = Document(), ThreadPoolExecutor(1), []
    session = ServerSession("one", document, IOLoop.current())
    session._subscribed_connections = {object() for _ in range(connected)}
    document._session_context = lambda: context  # type: ignore[assignment]
    context = SimpleNamespace(session=session, server_context=None)
    with set_curdoc(document):
        errands = Errands(pool)
    errands.send(lambda: 1, delivered.append, early=early)
    pool.shutdown(wait=True)
    for _ in range(50):
        await asyncio.sleep(0)
    before = [*delivered]
    session._subscribed_connections = set()
    errands.open()
    for _ in range(50):
        await asyncio.sleep(0)
    session.destroy()
    return before, delivered


def test_a_page_is_fetched_with_the_pictures_that_are_there_by_then_and_no_later_one_is_lost() -> None:
    """What changes between its being fetched and its being built a browser would never hear of."""
    with ThreadPoolExecutor(1) as server:
        found = [server.submit(lambda given=given: asyncio.run(fetched(*given))).result(60) for given in SCENES]
    assert found == [([1], [1]), ([], [1]), ([], [1])]


SCENES = [(True, 0), (True, 1), (False, 0)]
