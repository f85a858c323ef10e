"""What the figures of routing have in common: title, curves, layers and the colours of heads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of, template
from miscope.view import Choice

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["LAYER", "colour_of_head", "dashed", "figure", "layer_name", "layers", "line", "side_by_side", "title"]

_END = "routing.hook_weights"


def figure(traces: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> Figure:
    """The figure of traces given as plain dictionaries."""
    import plotly.graph_objects as go

    return go.Figure(data=[dict(trace) for trace in traces], layout={"template": template(), **layout})


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (shown.variant.name, at, note) if part)}}


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve over training; of one checkpoint a dot."""
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    mode = "lines" if len(x) != 1 else "lines+markers"
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, "line": style, **more}


def dashed(x: np.ndarray, y: np.ndarray, name: str, **more: Any) -> dict[str, Any]:
    """What would be seen of nothing learned."""
    return line(x, y, name, NULL, line={"dash": "dash"}, hoverinfo="skip", **more)


def layers(names: Iterable[str]) -> tuple[str, ...]:
    """Sites of routing weights among the names of arrays, in the order of layers."""
    found = {name[: name.index(_END)] + _END for name in names if _END in name}
    return tuple(sorted(found, key=lambda site: (len(site), site)))


def layer_name(site: str) -> str:
    """'layer 0' of 'blocks.0.routing.hook_weights'."""
    return " ".join(["layer", *(part for part in site.split(".") if part.isdecimal())])


def colour_of_head(head: int) -> str:
    """The same in every figure."""
    return OKABE_ITO[head] if head < len(OKABE_ITO) else colour_of(str(head))


def side_by_side(count: int, gap: float = 0.06) -> list[list[float]]:
    """Horizontal domains of so many panels."""
    width = (1 - gap * (count - 1)) / count
    return [[i * (width + gap), min(1.0, i * (width + gap) + width)] for i in range(count)]


def _layer_names(shown: ViewData) -> Sequence[str]:
    return [layer_name(site) for arrays in shown.artifacts.values() for site in layers(arrays)]


LAYER = Choice(name="layer", options_from=_layer_names)
"""One of the layers that route."""
