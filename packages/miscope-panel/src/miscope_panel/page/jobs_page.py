"""The page of jobs: the queue as it is worked through, and which analyses there are of which variants."""

from __future__ import annotations

from typing import final

import panel as pn
import panel_material_ui as pmui

from miscope_panel.page.analyses_part import AnalysesPart
from miscope_panel.page.job_actions import JobActions
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.queue_part import QueuePart
from miscope_panel.shown.selection import Place

__all__ = ["JobsPage"]

NAME = "jobs"
_LOOK = {"& .MuiToggleButton-root": {"textTransform": "none", "fontSize": "13px", "padding": "3px 14px"}}
_PARTS = {"Queue": "queue", "Analyses": "analyses"}


@final
class JobsPage:
    """Of its two parts the one that is looked at follows what happens; neither does while another page is."""

    def __init__(self, context: PageContext) -> None:
        self._selection = context.selection
        actions = JobActions(context.server)
        self.queue, self.analyses = QueuePart(context, actions), AnalysesPart(context, actions)
        self.parts = pmui.RadioButtonGroup(
            options=_PARTS, value="queue", size="small", sx=_LOOK, margin=(12, 16, 0, 16)
        )
        self.parts.param.watch(lambda event: self._turn(event.new), "value")
        self.queue.board.param.watch(lambda event: self.follow(self._selection.place), "in_sight")
        self.view = pn.Column(self.parts, self.queue.board, self.analyses.grid, sizing_mode="stretch_width", margin=0)

    def follow(self, place: Place) -> None:
        """Show the part that the address names, live while the place is this page and the browser shows it."""
        controls = place.controls_of(NAME)
        part = "analyses" if controls.get("part") == "analyses" else "queue"
        looked_at = place.page == NAME and self.queue.board.in_sight
        if place.page == NAME:
            self.parts.value = part
            self.queue.board.visible, self.analyses.grid.visible = part == "queue", part == "analyses"
        self.queue.look(looked_at=looked_at and part == "queue", only=controls.get("show", ""))
        self.analyses.look(looked_at=looked_at and part == "analyses")

    def _turn(self, part: str) -> None:
        place = self._selection.place
        self._selection.place = place.turn(NAME, "part", None if part == "queue" else part)
