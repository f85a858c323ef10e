"""Pictures that were drawn lately, or before anybody asked: going back and forth, and playing, draws none twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from concurrent.futures import Future
from dataclasses import fields
from typing import TYPE_CHECKING, final

from miscope_panel.shown.last_changed import last_changed
from miscope_panel.shown.picture import Picture, Request, picture

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["KeptPictures"]

_MOST = 128 * 2**20
"""Bytes of figures; a large one has a megabyte."""


@final
class KeptPictures:
    """Of one server, as long as what they are drawn from stays as it is; the one not looked at for longest goes first.

    Safe to use from any number of threads: who asks for what is being drawn waits for it.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._held = most, 0
        self._turn = threading.Lock()
        self._kept: OrderedDict[Hashable, Picture] = OrderedDict()
        self._under_way: dict[Hashable, Future[Picture]] = {}

    def picture(self, workspace: Workspace, request: Request) -> Picture:
        """As `shown.picture.picture`. Never raises."""
        changed = last_changed(workspace, request)
        return picture(workspace, request) if changed is None else self._kept_picture(workspace, request, changed)

    def ahead(self, workspace: Workspace, request: Request) -> None:
        """Draw it before anybody asks; nothing where it could not be kept until somebody does. Never raises."""
        changed = last_changed(workspace, request)
        if changed is not None:
            self._kept_picture(workspace, request, changed)

    def forget(self) -> None:
        """Draw all anew: somebody wants to see what there is now."""
        with self._turn:
            self._kept.clear()
            self._held = 0

    def _kept_picture(self, workspace: Workspace, request: Request, changed: tuple[int, ...]) -> Picture:
        """Drawn where it is not kept. changed: when the files that it is drawn of last did."""
        key = (_values(request), changed)
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            drawing = self._under_way.get(key)
            if drawing is None:
                self._under_way[key] = mine = Future[Picture]()
        if drawing is not None:
            return drawing.result()
        try:
            mine.set_result(picture(workspace, request))
        finally:
            self._keep(key, mine)
        return mine.result()

    def _keep(self, key: Hashable, drawing: Future[Picture]) -> None:
        with self._turn:
            del self._under_way[key]
            if drawing.cancel():
                # The program ends: nobody waits for it any more.
                return
            made = drawing.result()
            # Not why there is none: that may be otherwise the next time.
            if made.state != "figure" or len(made.figure) > self._most:
                return
            self._kept[key] = made
            self._held += len(made.figure)
            while self._held > self._most:
                self._held -= len(self._kept.popitem(last=False)[1].figure)


def _values(request: Request) -> Hashable:
    """All that the request says."""
    values = (getattr(request, field.name) for field in fields(request))
    return tuple(tuple(sorted(value.items())) if isinstance(value, Mapping) else value for value in values)
