"""The area between two curves."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["band"]


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, fill: str, **more: Any) -> list[dict[str, Any]]:
    """The area between two curves; fill: a colour that lets what is behind show through."""
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "color": fill}, "hoverinfo": "skip"}
    named = {"showlegend": "name" in more, **more}
    return [{**edge, **more, "y": low, "showlegend": False}, {**edge, **named, "y": high, "fill": "tonexty"}]
