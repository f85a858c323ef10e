"""The axes of a figure by their names, 'x' and 'y2': which traces are on them, and the panels along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["Placed", "axis_of", "given", "key_of", "panels_along", "placed"]


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """A trace with its axes, which are read once: plotly's objects are slow to ask."""

    trace: Any
    x: str | None
    """'x2'; None for a trace that is on no such axes: a table, a surface."""
    y: str | None

    def on(self, name: str) -> bool:
        return name in (self.x, self.y)


def placed(figure: Figure) -> tuple[Placed, ...]:
    """Every trace with its axes."""
    return tuple(Placed(trace, axis_of(trace, "x"), axis_of(trace, "y")) for trace in figure.data)


def axis_of(trace: Any, letter: str) -> str | None:
    """'y2'; None for a trace that is on no such axes: a table, a surface."""
    name = f"{letter}axis"
    return (trace[name] or letter) if hasattr(trace, name) and letter in trace else None


def key_of(name: str) -> str:
    """Where the layout has an axis: 'yaxis2' for 'y2'."""
    return f"{name[0]}axis{name[1:]}"


def given(figure: Figure, name: str) -> dict[str, Any]:
    """What the figure sets of an axis; {} where it leaves it alone."""
    key, layout = key_of(name), figure.layout
    return layout[key].to_plotly_json() if key in layout else {}


def panels_along(figure: Figure, traces: Sequence[Placed], name: str) -> Mapping[str, tuple[float, float]]:
    """The y axes beside an x axis, also those that have no trace, with where each begins and ends up the page."""
    x_of = {each.y: each.x for each in traces if each.y is not None}
    listed = (key.replace("axis", "") for key in figure.layout if key.startswith("yaxis"))
    panels = {}
    for y in [y for y in dict.fromkeys((*x_of, *listed)) if x_of.get(y, "x") == name]:
        axis = given(figure, y)
        if axis.get("overlaying", "free") != "free":
            axis = given(figure, axis["overlaying"])
        if "domain" in axis or y in x_of:
            panels[y] = tuple(axis.get("domain", (0.0, 1.0)))
    return panels
