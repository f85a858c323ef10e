"""Heat maps whose numbers nobody can read off, as shades: a byte for each pixel in place of four or eight."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["NOTHING", "in_shades"]

NOTHING = 255
"""The shade of a pixel without a number."""

_MOST = 254
"""The highest shade of one with a number; a screen has 256 of a colour."""


def in_shades(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> Mapping[str, Any]:
    """The trace, as plotly writes it to JSON, with its `z` in shades where they are all that is seen of it.

    `z` then has 'shades', [least, step]: the number of shade s is least + s * step, and that of NOTHING is none. It is
    off by half a step at most, and beyond the ends of the colours, where all numbers look alike, at the end.
    """
    z = trace.get("z")
    if not _only_seen(trace) or not isinstance(z, Mapping) or z.get("dtype") not in ("f4", "f8"):
        return trace
    numbers = np.frombuffer(base64.b64decode(z["bdata"]), z["dtype"]).astype(np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return trace
    seen = np.clip(numbers[known], *_ends(trace, layout))
    least, most = float(seen.min()), float(seen.max())
    step = (most / _MOST - least / _MOST) or 1.0
    shades = np.full(numbers.shape, NOTHING, dtype=np.uint8)
    shades[known] = np.clip(np.rint(seen / step - least / step), 0, _MOST)
    packed = base64.b64encode(shades.tobytes()).decode("ascii")
    return {**trace, "z": {**z, "dtype": "u1", "bdata": packed, "shades": [least, step]}}


def _only_seen(trace: Mapping[str, Any]) -> bool:
    return trace.get("type") == "heatmap" and trace.get("hoverinfo") == "skip" and "texttemplate" not in trace


def _ends(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> tuple[float, float]:
    """Between which numbers colours differ, as far as the figure says."""
    axis = layout.get(trace.get("coloraxis", ""), {})
    low, high = (axis.get("cmin"), axis.get("cmax")) if axis else (trace.get("zmin"), trace.get("zmax"))
    return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))
