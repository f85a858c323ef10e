"""Messages of a websocket that takes its time come whole, and in the order in which they were given."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bokeh.protocol import Protocol
from bokeh_fastapi.handler import WSHandler
from starlette.websockets import WebSocketState

from miscope_panel.page import page_sockets
from miscope_panel.page.message_turns import MessageTurns


class SlowSocket:
    """Lets others have their turn with every part that is sent."""

    application_state = WebSocketState.CONNECTED

    def __init__(self) -> None:
        self.parts: list[str] = []

    async def send_text(self, text: str) -> None:
        await asyncio.sleep(0)
        self.parts.append(text)


def handler_of(socket):
    handler = WSHandler.__new__(WSHandler)
    handler._socket = socket
    return handler


def parts_sent(socket, begin):
    """begin: is given the handler and messages, and gives what is to be waited for."""

    async def scene():
        handler = handler_of(socket)
        handler.send_message = MessageTurns(handler.send_message)
        messages = [Protocol().create("ERROR", str(i), text) for i, text in enumerate(("first", "second", "third"))]
        waited = begin(handler, messages)
        await asyncio.gather(*waited)
        return [part for each in messages for part in (each.header_json, each.metadata_json, each.content_json)]

    # On a thread of its own: a browser's test before may have left its loop running on this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scene()).result()


def test_parts_of_messages_that_are_sent_at_once_do_not_come_mixed():
    socket = SlowSocket()
    whole = parts_sent(socket, lambda handler, messages: [handler.send_message(each) for each in messages])
    assert socket.parts == whole


def test_a_message_that_is_waited_for_later_keeps_its_place():
    socket = SlowSocket()
    whole = parts_sent(socket, lambda handler, messages: [handler.send_message(each) for each in messages][::-1])
    assert socket.parts == whole


def test_an_open_page_is_sent_its_messages_so(monkeypatch):
    senders = []

    async def connect(handler, websocket):
        senders.append(type(handler.send_message))

    monkeypatch.setattr(page_sockets, "_why_not", lambda served, websocket: "")
    monkeypatch.setattr(WSHandler, "ws_connect", connect)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, page_sockets._endpoint(None, None)(None)).result()
    assert senders == [MessageTurns]


def test_what_a_thread_gives_is_sent_once_it_is_waited_for():
    socket = SlowSocket()

    def begin(handler, messages):
        first = handler.send_message(messages[0])
        with ThreadPoolExecutor(1) as pool:
            return [first, *(pool.submit(handler.send_message, each).result() for each in messages[1:])]

    whole = parts_sent(socket, begin)
    assert socket.parts == whole
