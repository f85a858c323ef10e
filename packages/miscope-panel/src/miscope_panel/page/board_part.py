"""What stands on a board of cards, and how it comes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import panel as pn
import param

from miscope_panel.page.page_component import PageComponent

__all__ = ["BoardPart", "put_on"]


class BoardPart(PageComponent):
    """Knows where it stands; the browser's boards go by that (`client/beside.js`)."""

    __abstract = True

    tag = param.String(doc="Tells it from every other part of the page's boards.")
    gone = param.Boolean(default=False, doc="Whether it was taken off the board.")
    place = param.Integer(default=0, doc="How many stand before it.")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"tag": uuid4().hex, **params})


def put_on(board: pn.Column, parts: Sequence[Any]) -> None:
    """Have the board show these in this order, and tell each part of it where it stands, or that it is off."""
    if [*board] == [*parts]:
        return
    for part in board:
        if isinstance(part, BoardPart) and not any(part is each for each in parts):
            part.gone = True
    for place, part in enumerate(parts):
        if isinstance(part, BoardPart):
            part.change(gone=False, place=place)
    board[:] = [*parts]
