"""What is said of the variants on the page, in a few words each: a colour, how they differ, how far they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from miscope.errors import MiscopeError
from miscope.figures.differences import labels
from miscope.figures.figure_style import variant_colours
from miscope.inventory import look_up
from miscope.maths.dated_events import long_name
from miscope.tabulating.cell_text import written
from miscope.tabulating.reading import read_table
from miscope.tabulating.variant_table import Cell
from miscope.workspace import Workspace
from miscope_panel.shown.diverged import diverged
from miscope_panel.shown.variant_events import events_of

__all__ = ["Chip", "Counted", "chips_of", "count_analyses"]

_LOSS = "test_loss"
Counted = Mapping[str, Cell]
"""Cells of a variant's row in the table."""
_STAGES = ("generalised", "complete", "half", "onset", "memorised")
"""Events, the latest stage first; 'complete', 'half' and 'onset' are of the fall of the test loss."""


@final
@dataclass(frozen=True, kw_only=True)
class Chip:
    """One variant."""

    variant: str
    """Its name."""
    label: str
    """What tells it from the others; its slug where it is alone."""
    colour: str
    """That of its curves wherever variants are compared."""
    letter: str = ""
    """'A' for the first."""
    words: tuple[str, ...] = ()
    """'test loss 3.1e-07', 'generalised at 9300', '12 of 14 analyses'."""
    trouble: str = ""
    """That its training diverged; "" where it did not."""


def chips_of(
    workspace: Workspace,
    names: Sequence[str],
    kept: Mapping[str, str] | None = None,
    counted: Mapping[str, Counted] | None = None,
) -> tuple[Chip, ...]:
    """One for each variant that can be opened, in this order. Where the index cannot be read less is said.

    kept: colours that some of them have already. counted: analyses of all variants; None to count them.
    """
    looked_up = (look_up(workspace.store, workspace.plugins, name).variant for name in dict.fromkeys(names))
    variants = [variant for variant in looked_up if variant is not None]
    colours = variant_colours((variant.name for variant in variants), kept)
    cells = count_analyses(workspace) if counted is None else counted
    return tuple(
        Chip(
            variant=variant.name,
            label=label,
            colour=colours[variant.name],
            letter=chr(ord("A") + place),
            words=tuple(_words(workspace, variant.name, cells.get(variant.name, {}))),
            trouble=diverged(workspace, variant.name),
        )
        for place, (variant, label) in enumerate(zip(variants, labels(variants), strict=True))
    )


def count_analyses(workspace: Workspace) -> dict[str, Counted]:
    """What there is of every variant and of its family, by its name: the table of all is read for it."""
    try:
        return {row.variants[0]: row.cells for row in read_table(workspace).rows}
    except MiscopeError:
        return {}


def _last_loss(workspace: Workspace, variant: str) -> float | None:
    try:
        recorded = workspace.store.metrics(variant, [_LOSS]).get(_LOSS)
    except MiscopeError:
        return None
    return float(recorded.values[-1]) if recorded is not None and len(recorded.values) else None


def _words(workspace: Workspace, variant: str, cells: Counted) -> Iterator[str]:
    events = events_of(workspace, variant)
    if (loss := _last_loss(workspace, variant)) is not None:
        yield f"test loss {written(loss)}"
    stage = next((name for name in _STAGES if name in events), None)
    if stage is not None:
        yield f"{long_name(stage)} at {events[stage]:,.0f}"
    made, missing = cells.get("analyses"), cells.get("missing_analyses")
    if isinstance(made, int) and isinstance(missing, int):
        yield f"{made} of {made + missing} analyses"
