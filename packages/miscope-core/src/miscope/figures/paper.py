"""A figure as a paper has it: so many millimetres wide, letters of so many points, on white, without a title."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.figures.above_plot import above_plot, short_names
from miscope.figures.figure_style import restyle

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["Paper", "is_on_paper", "on_paper", "read_paper"]

_PRESET = re.compile(r"paper(?::(?P<width>\d+(?:\.\d+)?)(?P<unit>mm|cm|in))?(?::(?P<font>\d+(?:\.\d+)?)pt)?")
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "in": 25.4}
_ON_SCREEN = 12
"""CSS pixels of the letters that figures are laid out for."""
_USUAL = 440 / 760
"""Height of a figure that gives none, by its width."""
_MARK = "paper"
_WIDTHS, _FONTS = (20.0, 1000.0), (3.0, 40.0)


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a journal asks for."""

    width: float = 85.0
    """Millimetres: 85 of one column, about 178 of both."""
    font: float = 8.0
    """Points of the letters at axes; others are larger or smaller by the same."""

    @property
    def pixels(self) -> float:
        """Its width in CSS pixels, 96 of which are an inch."""
        return self.width / 25.4 * 96


def read_paper(text: str) -> Paper:
    """'paper', 'paper:178mm', 'paper:3.35in:9pt' as a record; BadValue for anything else."""
    found = _PRESET.fullmatch(text.strip())
    width = float(found["width"]) * _MILLIMETRES[found["unit"]] if found and found["width"] else Paper().width
    font = float(found["font"]) if found and found["font"] else Paper().font
    if found is None or not (_WIDTHS[0] <= width <= _WIDTHS[1] and _FONTS[0] <= font <= _FONTS[1]):
        raise BadValue(
            f"There is no preset {text!r}.",
            f"It is 'paper', then a width of {_WIDTHS[0]:g} to {_WIDTHS[1]:g} mm (mm, cm or in), then letters of "
            f"{_FONTS[0]:g} to {_FONTS[1]:g} pt.",
            "Try paper:85mm:8pt.",
        )
    return Paper(width=width, font=font)


def on_paper(figure: Figure, paper: Paper) -> Figure:
    """Another figure of the same, in the light template, of the paper's width; its height keeps the proportion."""
    import plotly.graph_objects as go

    factor = paper.font * 96 / 72 / _ON_SCREEN
    styled: Any = restyle(go.Figure(figure), "light")
    for trace, name in zip(styled.data, short_names([trace.name or "" for trace in styled.data]), strict=True):
        trace.name = name or None
    made = styled.to_plotly_json()
    layout = copy.deepcopy(made["layout"])
    ratio = layout["height"] / layout["width"] if layout.get("height") and layout.get("width") else _USUAL
    layout = _lettered(layout, factor)
    margin = {**layout["template"]["layout"]["margin"], **layout.get("margin", {})}
    # Its title is the caption; titles of panels may stand under it.
    margin["t"] = min(margin["t"], 30)
    layout.pop("title", None)
    layout |= {
        "width": paper.pixels,
        "height": max(paper.pixels * ratio, 120),
        "margin": {side: value * factor if isinstance(value, int | float) else value for side, value in margin.items()},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "meta": {**(layout.get("meta") or {}), _MARK: paper.width},
    }
    return go.Figure(data=_lettered(made["data"], factor), layout=above_plot(styled.data, layout, factor))


def is_on_paper(figure: Figure) -> bool:
    """Whether its width is that of a paper, which a drawing has to have exactly."""
    layout: Any = figure.layout
    return isinstance(layout.meta, Mapping) and _MARK in layout.meta


def _lettered(value: Any, factor: float) -> Any:
    """The same with every size of letters times the factor."""
    if isinstance(value, Mapping):
        return {
            key: {**each, "size": each["size"] * factor}
            if str(key).endswith("font") and isinstance(each, Mapping) and isinstance(each.get("size"), int | float)
            else _lettered(each, factor)
            for key, each in value.items()
        }
    return [_lettered(each, factor) for each in value] if isinstance(value, list | tuple) else value
