"""What stands over several cards of a board."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.board_part import BoardPart
from miscope_panel.page.client import source, style

__all__ = ["BoardHeading"]


@final
class BoardHeading(BoardPart):
    """A title, and what is said under it."""

    title = param.String()
    note = param.String(doc="'' for none.")

    _esm = source("board_heading", "rows_shared", "beside")
    _stylesheets: ClassVar[list[str]] = [style("section")]
