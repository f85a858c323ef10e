"""Runs of several configurations: of each the mean over its seeds, laid over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.figures.comparing.compared_figure import ComparedFigure, NotCompared
from miscope.figures.comparing.overlay import overlay
from miscope.figures.comparing.seed_mean import NO_CURVE, averaged, seed_mean

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["group_means"]


def group_means(groups: Mapping[str, Sequence[ComparedFigure]]) -> Figure | NotCompared:
    """One figure with the means of all groups and their 95 % intervals, in the colour of the first of each.

    groups: runs that differ in seeds alone, by what tells them from the others; the legend has it with n, the number of
    runs. A run alone is drawn as it is. Of one group the curves keep their own colours. The figure says how means were
    made, and of which group that is true. NotCompared where a group has no mean, or they cannot be laid over.
    """
    if len(groups) == 1:
        return seed_mean(next(iter(groups.values())))
    means: list[ComparedFigure] = []
    told: dict[str, list[str]] = {}
    for label, members in groups.items():
        figure = members[0].figure
        if len(members) > 1:
            found = averaged(members)
            if isinstance(found, NotCompared):
                return found if found == NO_CURVE else NotCompared(reason=f"of {label} {found.reason}")
            figure = found.figure
            for words in found.told:
                told.setdefault(words, []).append(label)
        means.append(ComparedFigure(label=f"{label} (n={len(members)})", colour=members[0].colour, figure=figure))
    laid: Any = overlay(means)
    if isinstance(laid, NotCompared):
        return laid
    several = sum(len(members) > 1 for members in groups.values())
    said = [words if len(of) == several else f"{words} ({', '.join(of)})" for words, of in told.items()]
    title = laid.layout.title.to_plotly_json()
    before = title.get("subtitle", {}).get("text")
    subtitle = {"text": " · ".join(filter(None, ("means over seeds", *said, before)))}
    return laid.update_layout(title={**title, "subtitle": subtitle})
