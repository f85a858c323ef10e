"""A page's head is sent before its session is made, so that the browser runs the scripts meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import final

from panel import __version__ as panel_version
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from miscope_panel.page.early_modules import early_modules
from miscope_panel.shown.plotlyjs import BUNDLE

__all__ = ["BEGUN", "EarlyHead", "head_of", "prepared", "rest_of"]

_END = "</head>"

_PLOTLY = f'<script async src="{BUNDLE}" onerror="this.remove()"></script>\n'
"""Each chart waits for it, and it is the longest of the scripts: it comes first and keeps no other from running."""

_NATIVE = """<script>
  {
    const shim = window.importShim
    const ours = (address) => /^\\.?\\/(components|static|assets)\\//.test(address)
    const load = (address, ...more) => (ours(address) ? import(address) : shim(address, ...more))
    window.importShim = Object.assign(load, shim)
  }
</script>
"""
"""Panel asks a shim for every module, which fetches it, reads it for imports and hands it on as a copy. What this
server has imports nothing by name, and the browser loads it sooner by itself."""

_ELEMENT = re.compile(r"<(script|style|title)\b.*?</\1>|<(?:link|meta)\b[^>]*>", re.DOTALL)
"""Of a head."""

_SHIM = re.compile(r"(<script [^>]*es-module-shims[^>]*></script>\n)")

_PAUSE, _MOST_PAUSES = 0.03, 10
"""Seconds after which a browser that has the head has asked for the next file, if it needs one; and how many such."""

BEGUN = "/assets/begun"
"""Asked for by every browser as soon as it runs what the head says, whether it has the files already or not."""

_ASKED = f'<script>fetch("{BEGUN}/").catch(() => null)</script>'

_UNNAMED = re.compile(r'((?:src|href)="static/extensions/panel/[^"?]+)"')
"""Files of Panel whose address does not say their version: a browser would ask for each whether it is still the same,
and wait with the scripts after it until a server that makes its session says so."""


@final
class EarlyHead:
    """Answers whoever asks for a page; all pages have one head, which is that of the page before.

    make: the whole page, its session made. asked: how many files of pages were asked for so far.
    """

    def __init__(self, make: Callable[[Request], Awaitable[Response]], asked: Callable[[], int] = lambda: 0) -> None:
        self._make, self._asked = make, asked
        self._head = ""

    async def answer(self, request: Request) -> Response:
        """The page, in two parts but the first time."""
        kept = {"cache-control": "no-store"}
        if request.method == "HEAD":
            return Response(media_type="text/html", headers=kept)
        if not self._head:
            return HTMLResponse(await self._page(request), headers=kept)
        return StreamingResponse(self._parts(request, self._head), media_type="text/html", headers=kept)

    async def _page(self, request: Request) -> str:
        page = prepared(bytes((await self._make(request)).body).decode())
        self._head = head_of(page)
        return page

    async def _parts(self, request: Request, head: str) -> AsyncIterator[str]:
        yield head
        await self._let_files_go()
        yield rest_of(await self._page(request), head)

    async def _let_files_go(self) -> None:
        """Making a session keeps the event loop busy: a browser that has no scripts yet is to have got them by then.

        It begins to ask for them when it has made itself a process for the page, which takes longer than one pause.
        """
        before = asked = self._asked()
        for _ in range(_MOST_PAUSES):
            await asyncio.sleep(_PAUSE)
            last, asked = asked, self._asked()
            if before < last == asked:
                return


def prepared(page: str) -> str:
    """The page as Panel made it, plotly.js the first of its scripts and all that is Panel's to be kept."""
    page = page.replace("<head>\n", f"<head>\n    {_PLOTLY}    {_ASKED}\n{early_modules()}", 1)
    page = _SHIM.sub(lambda found: found[1] + _NATIVE, page, count=1)
    return _UNNAMED.sub(rf'\1?v={panel_version}"', page)


def head_of(page: str) -> str:
    """What a page begins with, up to the end of its head, which is left open; "" of one that has no head."""
    return page[: page.find(_END)] if _END in page else ""


def rest_of(page: str, sent: str) -> str:
    """What is left to send of a page. The head that was sent may be that of another page, which lacks scripts of this
    one or has more: then the elements that this one's head alone has, and what follows it."""
    if page.startswith(sent):
        return page[len(sent) :]
    head = head_of(page)
    known = {element[0] for element in _ELEMENT.finditer(sent)}
    missing = [element[0] for element in _ELEMENT.finditer(head) if element[0] not in known]
    return "\n".join([*missing, page[len(head) :]])
