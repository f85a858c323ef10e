"""Whether a figure over training can be marked at a step, and says what it is worth there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from miscope.figures.axes import Placed, placed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["marks_steps", "tells_values"]


def marks_steps(figure: Figure) -> bool:
    """Whether a page can show where a step is: on an axis that counts steps, or on a path whose points say theirs."""
    return bool(_time_axes(figure)) or any(_is_path(each) for each in placed(figure))


def tells_values(figure: Figure) -> bool:
    """Whether a page can say what is drawn at a step: of a path its point, of a curve, bars or a map what is there.

    Loose points count, though only those that stand at the step are told; what is not hovered over does not.
    """
    axes = _time_axes(figure)
    return any(_is_path(each) or _is_told(each, axes) for each in placed(figure))


def _time_axes(figure: Figure) -> tuple[str, ...]:
    layout: Any = figure.layout
    return tuple(layout.meta["miscope"]["time_axes"])


def _is_path(each: Placed) -> bool:
    return (_meta(each) or {}).get("steps") == "customdata"


def _is_told(each: Placed, axes: tuple[str, ...]) -> bool:
    along = [name for name in _names(each) if name in axes]
    hovered = each.trace.hoverinfo not in ("skip", "none") and not (_meta(each) or {}).get("edge")
    return len(along) == 1 and hovered


def _meta(each: Placed) -> Any:
    return each.trace.meta


def _names(each: Placed) -> Iterator[str]:
    return (name for name in (each.x, each.y) if name is not None)
