"""The numbers that a figure draws, trace by trace, under names that say what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope.figures.figure_names import panel_names, trace_names, unlike
from miscope.figures.trace_columns import trace_columns

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["TraceData", "figure_data"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TraceData:
    """What one trace draws: numbers, NaN where there is none; or texts, and None."""

    panel: str = ""
    """The title above its panel; "" where the names of the columns tell the panels apart."""
    trace: str
    """Its name; "" of one without, where no other has the same columns."""
    columns: Mapping[str, np.ndarray]
    """By name. Of points (n,). Of a grid its axes, (width,) across and (height,) down, then cells, (height, width)."""
    grid: tuple[str, str] | None
    """The names of a grid's axes, down and across; None of points."""

    def long(self) -> Mapping[str, np.ndarray]:
        """The columns with a row for each point or cell, cells from the left to the right, then the next below."""
        if self.grid is None:
            return self.columns
        down, across = (self.columns[name] for name in self.grid)
        axes = {self.grid[1]: np.tile(across, len(down)), self.grid[0]: np.repeat(down, len(across))}
        return {**axes, **{n: cells.reshape(-1) for n, cells in self.columns.items() if n not in self.grid}}


def figure_data(figure: Figure) -> tuple[TraceData, ...]:
    """What each trace draws, in order and as it is drawn: a curve that was thinned is thinned here.

    A column is called what its axis or its colour bar is: 'epoch', 'loss (nats)'. Where an axis has no title, it is the
    'row' or 'column' of a grid, the 'name' of texts, else 'horizontal' or 'vertical'; a title that both axes have is
    told apart as 'epoch (x)' and 'epoch (y)'. Beside these: 'error of loss (nats)', the 'label' at a point, the 'width'
    of bars, and what else is known of a point, by the words it is shown with on hovering. The edges of a band are
    'W_E, from' and 'W_E, to'. Raises BadValue where a trace is neither points nor a grid: a pie, a flow.
    """
    drawn: Any = figure.data
    layout, every = figure.layout.to_plotly_json(), [trace.to_plotly_json() for trace in drawn]
    traces = [trace for trace in every if not _only_names(trace) and not _unseen(trace)] or every
    read = [trace_columns(trace, layout) for trace in traces]
    made = [
        TraceData(trace=name, columns=columns, grid=grid)
        for name, (columns, grid) in zip(trace_names(traces), read, strict=True)
    ]
    return _named_apart(_in_panels(made, traces, layout))


def _only_names(trace: Mapping[str, Any]) -> bool:
    """Whether it is there for its line in the legend alone, with one point that stands nowhere."""
    across, along = trace.get("x"), trace.get("y")
    return across is not None and along is not None and [*across] == [None] == [*along]


def _unseen(trace: Mapping[str, Any]) -> bool:
    """Whether nobody sees it or hovers over it: it says which steps the points of others are."""
    return trace.get("opacity") == 0 and trace.get("hoverinfo") == "skip"


def _in_panels(
    made: Sequence[TraceData], traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]
) -> list[TraceData]:
    """With the name of its panel where a column of a trace stands in another panel under the same name."""
    panels = [(t.get("xaxis", "x"), t.get("yaxis", "y")) for t in traces]
    drawn = {(tuple(one.columns), panel) for one, panel in zip(made, panels, strict=True)}
    if len({columns for columns, _ in drawn}) == len(drawn):
        return list(made)
    names = panel_names(layout, dict.fromkeys(panels))
    return [replace(one, panel=names[panel]) for one, panel in zip(made, panels, strict=True)]


def _named_apart(made: Sequence[TraceData]) -> tuple[TraceData, ...]:
    """With a number where two of the same columns have the same name, or none."""
    kinds = [(one.panel, tuple(one.columns)) for one in made]
    nameless = Counter(kind for one, kind in zip(made, kinds, strict=True) if not one.trace)
    taken: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for number, (one, kind) in enumerate(zip(made, kinds, strict=True), start=1):
        beside = taken.setdefault(kind, [])
        name = one.trace or (f"trace {number}" if nameless[kind] > 1 else "")
        beside.append(unlike(name, beside))
    names = {kind: iter(each) for kind, each in taken.items()}
    return tuple(replace(one, trace=next(names[kind])) for one, kind in zip(made, kinds, strict=True))
