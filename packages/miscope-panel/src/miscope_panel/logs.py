"""What the servers below log of pages that come and go, and is no news to who serves a workspace."""

from __future__ import annotations

import logging
import warnings

from bokeh.util.warnings import BokehUserWarning

__all__ = ["quiet_logs"]

_NO_NEWS = ("ASGI callable returned without completing handshake", "timeout graceful shutdown exceeded")
"""Who is refused a WebSocket got an answer, though uvicorn 0.54 takes it for none; and a server that ends does not wait
longer than it was told to for pages that are open."""


def quiet_logs() -> None:
    """Leave out of this process' logs what asyncio, uvicorn and bokeh say of a page that was closed or refused."""
    # A page that is closed while a picture is on its way to it.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # A page that is closed while its own messages wait to be read: bokeh takes its session first, then reads them.
    logging.getLogger("bokeh.server.protocol_handler").addFilter(_has_a_session)
    # A component that speaks while the browser still builds it is named whole, not by its id: bokeh takes the one it
    # knows, and warns.
    warnings.filterwarnings("ignore", "reference already known", BokehUserWarning)


def _is_news(record: logging.LogRecord) -> bool:
    return not any(words in str(record.msg) for words in _NO_NEWS)


def _has_a_session(record: logging.LogRecord) -> bool:
    """False for an error raised where a connection is asked for its session and has none any more."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or trace.tb_frame.f_code.co_qualname != "ServerConnection.session"
