"""How smooth the table of predicted answers is: over training, and as an image beside its power spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, formatted, grid_axes, line, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "smoothness.spectrum"
_SHARES: Mapping[str, str] = {"without the constant": "without_constant", "with the constant": "value"}
_FLOOR = 1e-8
"""Share of the power below which the colours of a spectrum no longer tell."""


def over_training(shown: ViewData, *, power: str) -> Figure:
    """Share of the power of the predicted answers at low frequencies over training; grey: 95 % of random numberings.

    Dotted: what the same predictions would show, laid over the grid at random; dashed: the table of right answers.
    """
    arrays, what = shown.artifacts[_READS], _SHARES[power]
    steps = arrays["step"]
    low, middle, high = np.asarray(arrays[f"null_{what}"], dtype=np.float64).T
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {**edge, "y": low, "showlegend": False},
        {**edge, "y": high, "fill": "tonexty", "fillcolor": "rgba(154,154,154,0.25)", "name": "classes renumbered"},
        _curve(shown, middle, "median of renumbered classes", NULL, showlegend=False),
        _curve(shown, arrays[f"shuffled_{what}"], "laid at random", NULL, line={"dash": "dot"}),
    ]
    if f"answer_{what}" in arrays:
        traces.append(_curve(shown, arrays[f"answer_{what}"], "right answers", OKABE_ITO[2], line={"dash": "dash"}))
    traces.append(_curve(shown, arrays[f"expected_{what}"], "expected class", OKABE_ITO[5]))
    traces.append(_curve(shown, arrays[what], "predicted class", OKABE_ITO[0], line={"width": 2.2}))
    gaps = sum(int(np.isnan(np.asarray(trace["y"], dtype=np.float64)).sum()) for trace in traces)
    layout = {
        "title": title(shown, "Spectral smoothness of the answers", power),
        "yaxis": {"title": {"text": "share of power at low frequencies"}, "range": [-0.02, 1.02]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def table(shown: ViewData) -> Figure:
    """The predicted answer over two factors, beside its power spectrum; within the circle frequencies are low."""
    arrays = shown.artifacts[_READS]
    assert shown.probe is not None
    row, column = shown.probe.grid
    predicted = np.asarray(arrays["predicted"])
    hover = f"{row} %{{y}}, {column} %{{x}}: class %{{z}}<extra></extra>"
    image = {"type": "heatmap", "z": predicted, "coloraxis": "coloraxis", "hovertemplate": hover}
    share, (first, second) = _spectrum(predicted)
    tip = f"{row} %{{y:.3f}}, {column} %{{x:.3f}} cycles a sample: 10^%{{z:.2f}} of the power<extra></extra>"
    heat = {"type": "heatmap", "x": second, "y": first, "z": np.log10(np.maximum(share, _FLOOR))}
    heat |= {"coloraxis": "coloraxis2", "xaxis": "x2", "yaxis": "y2", "hovertemplate": tip}
    values = (formatted(float(arrays[name]), ".3f") for name in ("value", "without_constant"))
    radius = float(arrays["cutoff"])
    circle = {"type": "circle", "xref": "x2", "yref": "y2", "x0": -radius, "x1": radius, "y0": -radius, "y1": radius}
    axes = grid_axes(shown)
    layout: dict[str, Any] = {
        "title": title(
            shown, "Predicted answers and their spectrum", "smoothness {}, {} without the constant".format(*values)
        ),
        "xaxis": {**axes["xaxis"], "title": {"text": column, "standoff": 20}, "domain": [0, 0.4]},
        "yaxis": {**axes["yaxis"], "constraintoward": "top"},
        "xaxis2": _frequencies(column, "y2") | {"domain": [0.6, 1]},
        "yaxis2": _frequencies(row, "x2") | {"scaleanchor": "x2", "constraintoward": "top"},
        "coloraxis": _colours("class", 0.2) | {"cmin": 0, "cmax": max(int(arrays["classes"]) - 1, 1)},
        "coloraxis2": _colours("log₁₀ share", 0.8) | {"cmin": np.log10(_FLOOR), "cmax": 0},
        "shapes": [{**circle, "line": {"color": "#FFFFFF", "width": 1.5}}],
        "showlegend": False,
        "hovermode": "closest",
    }
    return figure([image, heat], layout)


def _curve(shown: ViewData, values: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    hover = f"{name} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    return line(shown.artifacts[_READS]["step"], values, name, colour, hovertemplate=hover, **more)


def _spectrum(predicted: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Share of the power at each frequency, the constant in the middle, and the frequencies along both axes."""
    power = np.fft.fftshift(np.square(np.abs(np.fft.fft2(predicted))))
    first, second = (np.fft.fftshift(np.fft.fftfreq(size)) for size in predicted.shape)
    return power / max(float(power.sum()), np.finfo(np.float64).tiny), (first, second)


def _frequencies(factor: str, anchor: str) -> dict[str, Any]:
    text = f"frequency of {factor},<br>cycles a sample"
    return {
        "title": {"text": text, "standoff": 20 if anchor[0] == "y" else 2},
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
        "anchor": anchor,
    }


def _colours(text: str, x: float) -> dict[str, Any]:
    bar = {"title": {"text": text, "side": "top"}, "orientation": "h", "x": x, "thickness": 10, "len": 0.4}
    return {"colorscale": "Viridis", "colorbar": bar | {"y": 1, "yanchor": "bottom"}}


VIEWS = (
    View(
        name="smoothness.over_training",
        title="Spectral smoothness of the answers",
        synonyms=("FFT", "spectral bias", "frequency principle"),
        grain=Grain.TRAJECTORY,
        draw=over_training,
        needs=Needs(reads=(_READS,)),
        controls=(Choice(name="power", options=tuple(_SHARES)),),
        time_axis="x",
        in_reports=({},),
    ),
    View(
        name="smoothness.table",
        title="Predicted answers and their spectrum",
        grain=Grain.CHECKPOINT,
        draw=table,
        needs=Needs(reads=(_READS,), grid=2),
    ),
)
