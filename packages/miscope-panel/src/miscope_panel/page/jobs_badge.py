"""How much works, in the header of every page."""

from __future__ import annotations

from typing import final

import panel_material_ui as pmui

from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard

__all__ = ["JobsBadge"]

_LOOK = {
    "fontSize": "12px",
    "textTransform": "none",
    "color": "var(--ms-accent) !important",
    "backgroundColor": "var(--ms-wash) !important",
    "borderRadius": "12px",
    "padding": "2px 12px",
    "fontVariantNumeric": "tabular-nums",
}


@final
class JobsBadge:
    """Shows how many runs a process works on and how far they are; pressed, it leads to them."""

    def __init__(self, context: PageContext) -> None:
        self.view = pmui.Button(
            label="", visible=False, variant="text", size="small", align="center", margin=(0, 12), sx=_LOOK
        )
        self.view.on_click(lambda event: context.selection.move(page="jobs"))
        self.leave = context.server.watch.listen(context.errands.hand, self.hear)

    def hear(self, heard: Heard) -> None:
        """Show what is told of the queue."""
        self.view.param.update(label=heard.told.words, visible=bool(heard.told.running))
