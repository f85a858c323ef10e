import asyncio
import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import final

import pytest
from bokeh.application import Application
from bokeh.document import Document
from bokeh.document.events import TitleChangedEvent
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.contexts import ApplicationContext
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.server.session import ServerSession
from bokeh.util.warnings import BokehUserWarning, warn

from miscope_panel.logs import quiet_logs


@final
class Heard(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What is logged where `miscope serve` has made its logs quiet; afterwards they are as they were."""
    loggers = [logging.getLogger(name) for name in ("asyncio", "uvicorn.error", "bokeh.server.protocol_handler")]
    before = [(each.level, each.propagate, list(each.handlers), list(each.filters)) for each in loggers]
    handler = Heard()
    for each in loggers:
        # A server that another test started may have taken these logs for itself, and raised their level.
        each.setLevel(logging.DEBUG)
        each.propagate, each.handlers[:], each.filters[:] = False, [handler], []
    quiet_logs()
    yield handler
    for each, (level, propagate, handlers, filters) in zip(loggers, before, strict=True):
        each.setLevel(level)
        each.propagate, each.handlers[:], each.filters[:] = propagate, handlers, filters


def answer(*, closed: bool) -> tuple[str, str]:
    """The title of the document and the kind of the answer after a page sent a new title, before or after it closed."""

    async def exchange() -> tuple[str, str]:
        document = Document()
        session = ServerSession("1", document, io_loop=None)
        connection = ServerConnection(Protocol(), None, ApplicationContext(Application()), session)
        message = Protocol().create("PATCH-DOC", [TitleChangedEvent(document, "new")])
        if closed:
            connection.detach_session()
        work = await ProtocolHandler().handle(message, connection)
        return document.title, work.msgtype

    # Playwright leaves its event loop running in the thread of the tests.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(exchange())).result()


def test_a_message_of_a_page_that_was_closed_meanwhile_is_not_logged(heard: Heard):
    assert answer(closed=True) == ("Bokeh Application", "ERROR")
    assert heard.records == []


def test_a_message_of_an_open_page_is_obeyed(heard: Heard):
    assert answer(closed=False) == ("new", "OK")
    assert heard.records == []


def test_a_message_that_fails_is_logged(heard: Heard, monkeypatch: pytest.MonkeyPatch):
    def fail(*_):
        raise AssertionError("broken")

    monkeypatch.setattr(ServerSession, "_handle_patch", fail)
    assert answer(closed=False) == ("Bokeh Application", "ERROR")
    assert [record.exc_info[1].args[0].splitlines()[0] for record in heard.records] == ["broken"]


def test_who_was_refused_or_left_open_at_the_end_is_not_logged_and_who_got_no_answer_is(heard: Heard):
    log = logging.getLogger("uvicorn.error")
    log.error("ASGI callable returned without completing handshake.")
    log.error("Cancel %s running task(s), timeout graceful shutdown exceeded", 0)
    log.error("Exception in ASGI application")
    assert [record.msg for record in heard.records] == ["Exception in ASGI application"]


def test_a_component_that_speaks_while_the_browser_builds_it_is_no_news_and_other_warnings_are():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        quiet_logs()
        warn("reference already known 'p1309'", BokehUserWarning)
        warn("reference to nothing", BokehUserWarning)
    assert [str(each.message) for each in told] == ["reference to nothing"]
