"""The matrix of variants and analyzers in the browser: a rectangle of it is chosen and queued."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["AnalysisGrid"]


@final
class AnalysisGrid(MessagingComponent):
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
