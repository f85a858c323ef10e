"""What a click on a point of a trace selects: a neuron, a head, a site. A trace says it in its `meta`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["selects"]


def selects(
    read: Mapping[str, str], /, *, cell: tuple[float, float] | None = None, **same: str
) -> dict[str, dict[str, Any]]:
    """For the `meta` of a trace: what a click on one of its points selects for all cards of the dashboard.

    The selected one is marked there: a point by a ring, a row or a column of a heat map by a frame.
    read: what is selected -> what of the point says which, 'x', 'y', 'customdata' or 'customdata[0]'; {} where all of
    the trace is one. cell: width and height, in units of the axes, of what a point is in the middle of; the mark frames
    that. same: what every point of the trace selects alike, site='blocks.0.mlp.hook_post'.
    """
    said: dict[str, Any] = {"read": dict(read), "same": same}
    return {"selects": said if cell is None else {**said, "cell": list(cell)}}
