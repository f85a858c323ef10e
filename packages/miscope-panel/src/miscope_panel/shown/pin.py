"""What an entry of an address stands for: a view, another card of it, or one held where it is while all else moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["Pin", "another", "read", "view_of"]

_MARK = "@"
"""No view has it in its name; a variant may."""
_AGAIN = "~"
"""Neither has any this; what stands behind it tells several cards of one view apart."""


@final
@dataclass(frozen=True, kw_only=True)
class Pin:
    """What a held card shows; in an address it is written 'neurons.heatmap@modadd.mlp/p113-seed0@500'."""

    view: str
    variant: str
    step: int | None = None
    """None: the view spans training."""

    def __str__(self) -> str:
        return _MARK.join((self.view, self.variant, "" if self.step is None else str(self.step)))


def read(entry: str) -> Pin | None:
    """The pin an entry of an address stands for; None where it is the plain name of a view, or cannot be read."""
    view, _, held = entry.partition(_MARK)
    variant, mark, step = held.rpartition(_MARK)
    if not mark or not variant or (step and not step.isdecimal()):
        return None
    return Pin(view=view, variant=variant, step=int(step) if step else None)


def view_of(entry: str) -> str:
    """The view that a card shows, held or not."""
    return entry.partition(_MARK)[0].partition(_AGAIN)[0]


def another(view: str, number: int) -> str:
    """The entry of the number-th card of a view, from 1: 'cohort.recorded~2'."""
    return view if number == 1 else f"{view}{_AGAIN}{number}"
