"""What the page of comparisons asks for of one view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from miscope_panel.shown.comparing.compared import Member
from miscope_panel.shown.comparing.comparison import Mode

__all__ = ["ComparedRequest"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedRequest:
    """Which view of which variants, in which way."""

    view: str
    members: tuple[Member, ...]
    """Those that are shown, A first."""
    mode: Mode
    align: str
    own_scales: bool
    means: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of variants that are shown as their mean, by what tells them from the others; {} for no means."""
    step: int | None
    """Of the one that leads; None of a view over training."""
    between: tuple[float, float] | None = None
    """The steps of the first that axes over training show, where every record of these is to be drawn."""
    controls: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """What it depends on: of equal ones the pictures are the same."""
        looked_at = tuple(
            (m.name, m.chip.label, m.chip.colour, m.chip.letter, m.steps, m.last, tuple(m.events.items()))
            for m in self.members
        )
        asked = (self.view, self.mode, self.align, self.own_scales, self.step, self.between)
        return (*asked, looked_at, tuple(self.means.items()), tuple(sorted(self.controls.items())))
