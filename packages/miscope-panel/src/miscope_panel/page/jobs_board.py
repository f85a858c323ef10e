"""The queue in the browser: a card for each run, kept up to date piece by piece."""

from __future__ import annotations

from typing import ClassVar, final

import param

from miscope_panel.page.client import source, style
from miscope_panel.page.messaging_component import MessagingComponent

__all__ = ["JobsBoard"]


@final
class JobsBoard(MessagingComponent):
    """Draws what it is given, and says what somebody does with it."""

    shown = param.Dict(
        default={"sections": [], "cards": {}, "bulk": {}, "notice": []},
        doc="Sections (name, title, ids, count, open), cards by number of the run as text, by what is asked the runs"
        " that may be asked together, and why there is no run, line by line; replaced as a whole.",
    )
    changed = param.Dict(default={}, doc="Of the cards in sight those that are otherwise now.")
    curve = param.Dict(default={}, doc="id and curves: losses of one training; serial.")
    detail = param.Dict(default={}, doc="id, about ('log', 'trace', 'configuration'), what was asked for, serial.")
    said = param.Dict(default={}, doc="text, is_problem, undo, serial: what became of the last thing that was asked.")
    locked = param.String(default="", doc="Why nothing may be asked; '' where it may.")
    in_sight = param.Boolean(default=True, doc="Whether the browser shows this page; it says so.")

    _esm = source("jobs_board", "loss_chart", "run_detail", "run_card", "held_focus")
    _stylesheets: ClassVar[list[str]] = [style("jobs_board", "loss_chart")]
