"""Figures of one view for several variants, put together in the way that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
from miscope.figures.comparing.difference import difference
from miscope.figures.comparing.group_means import group_means
from miscope.figures.comparing.overlay import overlay
from miscope.figures.locked_ranges import lock_ranges

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["beside", "differences", "laid_over", "tell"]


def laid_over(
    members: Sequence[ComparedFigure], groups: Mapping[str, Sequence[ComparedFigure]]
) -> Figure | NotCompared:
    """All in one figure: as means over seeds, or over each other; then it says why there is no mean.

    groups: those that differ in seeds alone, by what tells them from the others; {} for no means.
    """
    averaged = group_means(groups) if groups else None
    if averaged is not None and not isinstance(averaged, NotCompared):
        return averaged
    laid: Any = overlay(members)
    if averaged is not None and not isinstance(laid, NotCompared):
        tell(laid, f"No mean: {averaged.reason}.")
    return laid


def beside(members: Sequence[ComparedFigure], *, own_scales: bool = False) -> list[Figure]:
    """Each by itself; with the same axes and colours, unless each is to have its own."""
    figures = [one.figure for one in members]
    if not own_scales:
        lock_ranges(figures)
    return figures


def differences(
    members: Sequence[ComparedFigure], refused: Sequence[str], *, own_scales: bool = False
) -> list[Figure | NotCompared]:
    """Each of the others less the first.

    refused: for each of the others why it is not subtracted, as that they were shown other inputs; "" where it is.
    """
    first, *others = members
    found = [
        NotCompared(reason=reason) if reason else difference(first.figure, other.figure)
        for other, reason in zip(others, refused, strict=True)
    ]
    if not own_scales:
        lock_ranges([each for each in found if not isinstance(each, NotCompared)])
    return found


def tell(figure: Any, words: str) -> None:
    """Add that below the title."""
    title = figure.layout.title.to_plotly_json()
    told = (title.get("subtitle", {}).get("text"), words)
    figure.update_layout(title={**title, "subtitle": {"text": " · ".join(filter(None, told))}})
