"""What the figures of routing have in common: layers, the colours of heads, curves of nothing learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.figures.frame import line
from miscope.view import Choice

__all__ = ["LAYER", "colour_of_head", "dashed", "head_name", "layer_name", "layers", "side_by_side"]

_END = "routing.hook_weights"


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


def head_name(site: str, head: int) -> str:
    """'L0H2' of 'blocks.0.routing.hook_weights'."""
    layer = next((part for part in site.split(".") if part.isdecimal()), "0")
    return f"L{layer}H{head}"


def colour_of_head(head: int) -> str:
    """The same in every figure."""
    return OKABE_ITO[head] if head < len(OKABE_ITO) else colour_of(str(head))


def side_by_side(count: int, gap: float = 0.06) -> list[list[float]]:
    """Horizontal domains of so many panels."""
    width = (1 - gap * (count - 1)) / count
    return [[i * (width + gap), min(1.0, i * (width + gap) + width)] for i in range(count)]


def _layer_names(shown: ViewData) -> Sequence[str]:
    return [layer_name(site) for arrays in shown.artifacts.values() for site in layers(arrays)]


LAYER = Choice(name="layer", options_from=_layer_names, selects="")
"""One of the layers that route, in words that no other view has for a layer: it is chosen for its card alone."""
