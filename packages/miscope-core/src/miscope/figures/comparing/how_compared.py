"""In which way the figures of several variants are put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from miscope.errors import BadValue
from miscope.field_docs import documented

__all__ = ["MODES", "HowCompared", "Mode"]

Mode = Literal["overlay", "grid", "difference"]

MODES: tuple[Mode, ...] = ("overlay", "grid", "difference")


@final
@documented
@dataclass(frozen=True, kw_only=True)
class HowCompared:
    """How figures of several variants are put together."""

    mode: Mode = "overlay"
    """'overlay': in one figure. 'grid': one figure each, beside each other. 'difference': each less the first."""
    align: str = "step"
    """What time axes count: 'step', 'fraction' of training, or steps since an event of each, by its name."""
    means: bool = False
    """Whether an overlay has the mean over those that differ in seeds alone, where some do."""
    own_scales: bool = False
    """Whether figures beside each other keep axes of their own."""
    place: int = 0
    """Which of the figures, where one of them is meant: in a grid of variants, or among differences."""

    def __post_init__(self) -> None:
        """Raises BadValue for another way."""
        if self.mode not in MODES:
            known = f"There are {', '.join(MODES[:-1])} and {MODES[-1]}."
            raise BadValue(f"Variants cannot be compared by {self.mode!r}.", known, "Try mode='overlay'.")
