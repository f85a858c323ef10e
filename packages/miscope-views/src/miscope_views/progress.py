"""Progress measures over training: the loss with only the key components, and without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Choice, Grain, Shown, View
from miscope.figure_style import OKABE_ITO, TEST, TRAIN, colour_of
from miscope_views.figures import CLOCK, MARKS, clock_axis, event_marks, figure, line, panels, title
from miscope_views.named_arrays import first_row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "progress.losses"
_PARTS = ("train", "test", "all")
_NOTE = "key components as voted at each step, none from the future"
_PART = Choice(name="part", options_from=lambda shown: [p for p in _PARTS if f"full/{p}" in shown.artifacts[_READS]])


def losses(shown: Shown, *, part: str, clock: str, events: bool) -> Figure:
    """Loss, restricted loss, excluded loss and trig loss over training; test loss over restricted loss below."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    whole = {"train loss": ("full/train", TRAIN), "test loss": ("full/test", TEST)}
    measures = {f"{name} ({part})": (f"{name}/{part}", colour) for name, colour in _COLOURS.items()}
    curves = {name: found for name, found in (whole | measures).items() if found[0] in arrays}
    traces = [line(steps, arrays[key], name, colour) for name, (key, colour) in curves.items()]
    ratio = arrays["full/test" if "full/test" in arrays else "full/all"] / arrays[f"restricted/{part}"]
    traces.append(line(steps, ratio, "", OKABE_ITO[2], yaxis="y2", showlegend=False))
    above, below = panels([3, 1])
    layout = {
        "title": title(shown, "Progress measures", _NOTE),
        "xaxis": {**clock_axis(shown, clock), "anchor": "y2"},
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "domain": above, "exponentformat": "power"},
        "yaxis2": {"title": {"text": "test / restricted"}, "domain": below, "type": "log"},
        "showlegend": True,
        "shapes": event_marks(shown, events),
    }
    return figure(traces, layout)


_COLOURS = {"restricted": OKABE_ITO[2], "excluded": OKABE_ITO[3], "trig": OKABE_ITO[5]}


def excluded(shown: Shown, *, clock: str, events: bool) -> Figure:
    """Loss on the training set without one key component at a time, over the steps at which it is key."""
    arrays = shown.artifacts[_READS]
    steps, each, labels = arrays["step"], arrays["excluded/each"], first_row(arrays["label"])
    ever = np.flatnonzero(np.isfinite(each).any(axis=0))
    base = arrays["full/train" if "full/train" in arrays else "full/all"]
    traces = [line(steps, base, "nothing left out", TRAIN, line={"dash": "dot"})]
    for k in ever:
        label = str(labels[k])
        traces.append(line(steps, each[:, k], label, colour_of(label), mode="lines+markers", marker={"size": 3}))
    layout = {
        "title": title(shown, "Loss without one component", _NOTE if len(ever) else "no component is key at any step"),
        "xaxis": clock_axis(shown, clock),
        "yaxis": {"title": {"text": "train loss (nats)"}, "type": "log"},
        "legend": {"title": {"text": "left out"}},
        "showlegend": True,
        "shapes": event_marks(shown, events),
    }
    return figure(traces, layout, gaps=int(np.isnan(each[:, ever]).sum()))


VIEWS = (
    View(
        name=_READS,
        title="Restricted and excluded loss",
        grain=Grain.TRAJECTORY,
        draw=losses,
        reads=(_READS,),
        bases=("*",),
        grid=2,
        controls=(_PART, CLOCK, MARKS),
        time_axis="x",
    ),
    View(
        name="progress.excluded",
        title="Loss without one component",
        grain=Grain.TRAJECTORY,
        draw=excluded,
        reads=(_READS,),
        bases=("*",),
        grid=2,
        controls=(CLOCK, MARKS),
        time_axis="x",
    ),
)
