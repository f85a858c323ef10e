import asyncio
import logging

import pytest
from bokeh.application import Application
from bokeh.document import Document
from bokeh.document.events import TitleChangedEvent
from bokeh.protocol import Protocol
from bokeh.server.connection import ServerConnection
from bokeh.server.contexts import ApplicationContext
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.server.session import ServerSession

from miscope_panel.logs import quiet_logs


@pytest.fixture
def quiet():
    """What `miscope serve` does to its logs, undone afterwards."""
    loggers = [logging.getLogger(name) for name in ("asyncio", "uvicorn.error", "bokeh.server.protocol_handler")]
    before = [(logger.level, list(logger.filters)) for logger in loggers]
    quiet_logs()
    yield
    for logger, (level, filters) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.filters[:] = filters


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

    return asyncio.run(exchange())


def test_a_message_of_a_page_that_was_closed_meanwhile_is_not_logged(quiet, caplog):
    assert answer(closed=True) == ("Bokeh Application", "ERROR")
    assert caplog.messages == []


def test_a_message_of_an_open_page_is_obeyed(quiet, caplog):
    assert answer(closed=False) == ("new", "OK")
    assert caplog.messages == []


def test_a_message_that_fails_is_logged(quiet, caplog, monkeypatch):
    def fail(*_):
        raise AssertionError("broken")

    monkeypatch.setattr(ServerSession, "_handle_patch", fail)
    assert answer(closed=False) == ("Bokeh Application", "ERROR")
    assert [record.exc_info[1].args[0].splitlines()[0] for record in caplog.records] == ["broken"]


def test_who_was_refused_is_not_logged_and_who_got_no_answer_is(quiet, caplog):
    log = logging.getLogger("uvicorn.error")
    log.error("ASGI callable returned without completing handshake.")
    log.error("Exception in ASGI application")
    assert caplog.messages == ["Exception in ASGI application"]
