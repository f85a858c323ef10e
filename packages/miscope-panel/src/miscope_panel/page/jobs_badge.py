"""How much works, in the header of every page."""

from __future__ import annotations

from typing import final

from miscope_panel.page.page_record import PageContext
from miscope_panel.page.push_button import PushButton
from miscope_panel.page.run_watch import Heard

__all__ = ["JobsBadge"]


@final
class JobsBadge:
    """Shows how many runs a process works on and how far they are; pressed, it leads to them."""

    def __init__(self, context: PageContext) -> None:
        self.view = PushButton(visible=False, look="badge", align="center", margin=(0, 12))
        self.view.on_click(lambda event: context.selection.move(page="jobs"))
        self.leave = context.server.watch.listen(context.errands.hand, self.hear)

    def hear(self, heard: Heard) -> None:
        """Show what is told of the queue."""
        self.view.param.update(label=heard.told.words, visible=bool(heard.told.running))
