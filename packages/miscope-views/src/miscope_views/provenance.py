"""Where checkpoints come from, by every account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Grain, Shown, View
from miscope.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "provenance.settings"
_MARK = OKABE_ITO[1]


def settings(shown: Shown) -> Figure:
    """What files say of the training, what the optimizer did, and what the record holds; contradictions lead."""
    arrays = shown.artifacts[_READS]
    bare = {"fill": {"color": "rgba(0,0,0,0)"}, "line": {"color": NULL, "width": 0.5}, "align": "left", "height": 26}
    if len(arrays["file"]):
        order = (~arrays["mismatch"]).argsort(kind="stable")
        names = ("setting", "configuration", "optimizer", "record")
        columns = [arrays[name][order].tolist() for name in names]
        colours = [_MARK if differs else NULL for differs in arrays["mismatch"][order].tolist()]
        wrong = int(arrays["mismatch_count"])
        note = f"contradictions: {wrong or 'none'} · from {', '.join(arrays['source'].tolist())}"
    else:
        names = ("library", "version")
        columns = [arrays[name].tolist() for name in names]
        colours, note = (
            [NULL] * len(columns[0]),
            "trained here, with these libraries at hand; nothing contradicts the record",
        )
    table = {
        "type": "table",
        "header": {**bare, "values": [f"<b>{name}</b>" for name in names]},
        "cells": {**bare, "values": columns, "font": {"color": [colours] * len(names)}},
    }
    return figure([table], {"title": title(shown, "Where it comes from", note)})


VIEWS = (
    View(
        name="provenance.settings", title="Where it comes from", grain=Grain.TRAJECTORY, draw=settings, reads=(_READS,)
    ),
)
