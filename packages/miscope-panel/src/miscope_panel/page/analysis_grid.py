"""The matrix of variants and analyzers in the browser: a rectangle of it is chosen and queued."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param
from panel.custom import JSComponent

from miscope_panel.page.client import source, style

__all__ = ["AnalysisGrid"]


@final
class AnalysisGrid(JSComponent):
    """Draws one page of variants, row by row as they become known."""

    shown = param.Dict(
        default={"start": 0, "page": 0, "total": 0, "variants": [], "analyzers": [], "find": ""},
        doc="Which variants are on this page, and all analyzers; replaced as a whole, which empties the rows.",
    )
    row = param.Dict(default={}, doc="variant, problem, serial, and cells: by analyzer its state and a note.")
    said = param.Dict(default={}, doc="text, is_problem, serial: what became of the last thing that was asked.")
    locked = param.String(default="", doc="Why nothing may be asked; '' where it may.")

    _esm = source("analysis_grid")
    _stylesheets: ClassVar[list[str]] = [style("analysis_grid")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self.on_message(data)
