"""How sure the model is and how right: reliability, the spread of its losses, accuracy by answer and by input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, TEST, TRAIN, colour_of
from miscope.maths.mean_interval import wilson
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, grid_axes, line, panels, title
from miscope_views.named_arrays import first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["CALIBRATION_VIEWS"]

_READS, _METRICS, _CORRECTNESS = "behaviour.calibration", "behaviour.metrics", "learning.correctness"
_COLOURS = {"train": TRAIN, "test": TEST}
_NAMES = {"train": "training data", "test": "test data", "all": "all inputs"}
_LEAST = 1e-12
"""Loss below which a logarithmic axis does not go, nats."""


def _order(names: Sequence[str]) -> list[str]:
    return [name for name in ("test", "train", "all") if name in names]


_SPLIT = Choice(
    name="split", options_from=lambda shown: _order(holders(shown.artifacts[_READS], "error")), label="data"
)


def reliability(shown: ViewData, *, split: str) -> Figure:
    """Share of right answers by how sure the model was, against the diagonal of perfect calibration; counts below."""
    arrays = shown.artifacts[_READS]
    count, sure, right = (arrays[f"{split}/{what}"] for what in ("count", "confidence", "accuracy"))
    edge = arrays["edge"]
    middle, width = (edge[1:] + edge[:-1]) / 2, np.diff(edge)
    filled = count > 0
    low, high = wilson(right[filled], count[filled])
    spread = {"type": "data", "symmetric": False, "array": high - right[filled], "arrayminus": right[filled] - low}
    above, below = panels([2.2, 1])
    colour = _COLOURS.get(split, colour_of(split))
    diagonal = {"type": "scatter", "mode": "lines", "x": np.array([0, 1]), "y": np.array([0, 1]), "hoverinfo": "skip"}
    dots = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": sure[filled],
        "y": right[filled],
        "error_y": {**spread, "width": 0, "color": colour},
        "marker": {"color": colour, "size": 7},
        "line": {"color": colour, "width": 1},
        "customdata": count[filled],
        "name": _NAMES[split],
        "hovertemplate": "sure %{x:.1%}, right %{y:.1%}<br>%{customdata:,} inputs<extra></extra>",
    }
    bars = {"type": "bar", "x": middle, "y": count, "width": width, "yaxis": "y2", "marker": {"color": colour}}
    hover = {"showlegend": False, "hovertemplate": "%{y:,} inputs sure near %{x:.0%}<extra></extra>"}
    low, high = arrays[f"{split}/error_null"]
    note = f"calibration error {float(arrays[f'{split}/error']):.4f} (chance {low:.4f} to {high:.4f})"
    layout = {
        "title": title(shown, f"Reliability on {_NAMES[split]}", f"{note} · {int(count.sum()):,} inputs"),
        "xaxis": {"title": {"text": "largest probability"}, "range": [0, 1.02], "anchor": "y2"},
        "yaxis": {"title": {"text": "share right"}, "range": [-0.03, 1.03], "domain": above},
        "yaxis2": {"title": {"text": "inputs"}, "domain": below, "type": "log", "dtick": 1},
        "showlegend": True,
    }
    perfect = {**diagonal, "line": {"color": NULL, "dash": "dash"}, "name": "calibrated"}
    return figure([perfect, dots, bars | hover], layout)


def calibration(shown: ViewData) -> Figure:
    """Calibration error over training beside that of a calibrated model; below, the entropy of the answers."""
    arrays, metrics = shown.artifacts[_READS], shown.artifacts[_METRICS]
    above, below = panels([1.4, 1])
    traces: list[dict[str, Any]] = []
    for split in [name for name in ("train", "test", "all") if f"{name}/error" in arrays][:2]:
        colour = _COLOURS.get(split, colour_of(split))
        low, high = arrays[f"{split}/error_null"].T
        edge = {"type": "scatter", "mode": "lines", "x": arrays["step"], "line": {"width": 0}, "hoverinfo": "skip"}
        legend = {"name": "calibrated, 95 %", "legendgroup": "null", "showlegend": not traces}
        traces.append({**edge, "y": low, "showlegend": False})
        traces.append({**edge, **legend, "y": high, "fill": "tonexty", "fillcolor": f"{NULL}66"})
        hover = f"{split} %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(arrays["step"], arrays[f"{split}/error"], split, colour, hovertemplate=hover))
        unsure = {"yaxis": "y2", "showlegend": False, "hovertemplate": hover}
        traces.append(line(metrics["step"], metrics[f"{split}_entropy"], split, colour, **unsure))
    layout = {
        "title": title(shown, "Calibration"),
        "yaxis": {"title": {"text": "expected calibration error"}, "domain": above, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "entropy of the answer (nats)"}, "domain": below, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def quantiles(shown: ViewData, *, split: str) -> Figure:
    """How the losses of single inputs are spread over training: ribbons between their quantiles, and the median."""
    arrays = shown.artifacts[_READS]
    share, exact = first_row(arrays["quantile"]), arrays[f"{split}/loss_quantile"]
    loss = np.maximum(exact, _LEAST)
    note = f"below {_LEAST:g} drawn at {_LEAST:g}" if (exact < _LEAST).any() else ""
    colour, steps = _COLOURS.get(split, colour_of(split)), arrays["step"]
    traces: list[dict[str, Any]] = []
    for i in range(len(share) // 2):
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append({**edge, "y": loss[:, i], "showlegend": False})
        name = f"{share[i]:.0%} to {share[-1 - i]:.0%}" if share[i] else "smallest to largest"
        traces.append({**edge, "y": loss[:, -1 - i], "fill": "tonexty", "fillcolor": f"{colour}2e", "name": name})
    for at, name, dash in ((len(share) // 2, "median", "solid"), (-1, "largest", "dot")):
        hover = f"{name} %{{y:.4g}} nats at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(steps, loss[:, at], name, colour, line={"dash": dash}, hovertemplate=hover))
    layout = {
        "title": title(shown, f"Losses of single inputs, {_NAMES[split]}", note),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "exponentformat": "power"},
        "showlegend": True,
    }
    return figure(traces, layout)


def by_class(shown: ViewData, *, split: str) -> Figure:
    """Accuracy on the inputs of each right answer over training."""
    arrays = shown.artifacts[_READS]
    names = first_row(arrays["class"]).tolist()
    steps, share = arrays["step"], arrays[f"{split}/class_accuracy"]
    count = first_row(arrays[f"{split}/class_count"])
    heat = {
        "type": "heatmap",
        "x": steps,
        "y": names,
        "z": share.T,
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "hovertemplate": f"answer %{{y}}<br>{shown.step_label} %{{x:,}}<br>%{{z:.1%}} right<extra></extra>",
    }
    note = f"{count.min():,} to {count.max():,} inputs an answer"
    layout = {
        "title": title(shown, f"Accuracy by right answer, {_NAMES[split]}", note),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": "right answer"}, "type": "category", "showgrid": False, "nticks": 20},
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "share right"}, "tickformat": ".0%"}},
    }
    return figure([heat], layout, gaps=int(np.isnan(share).sum()))


_QUANTITIES = {
    "log odds": "log odds of the right answer",
    "probability": "probability of the right answer",
    "right": "right (1) or wrong (0)",
}


def accuracy_grid(shown: ViewData, *, quantity: str, locked: bool) -> Figure:
    """What the model makes of every input of a grid of two factors at this step: how far for or against the answer."""
    assert shown.probe is not None
    count = len(shown.probe.inputs)
    arrays, past = shown.artifacts[_CORRECTNESS], shown.history[_CORRECTNESS]
    right = np.unpackbits(arrays["correct"], count=count)
    values = right if quantity == "right" else _from_loss(arrays["nll"], quantity)
    row, column = shown.probe.grid
    heat = {
        "type": "heatmap",
        "z": values.reshape(shown.probe.shape),
        "coloraxis": "coloraxis",
        "hovertemplate": f"{row} %{{y}}, {column} %{{x}}<br>{quantity} %{{z:.3g}}<extra></extra>",
    }
    bar = {"title": {"text": _QUANTITIES[quantity]}}
    colours: dict[str, Any] = {"cmin": 0, "cmax": 1, "colorbar": bar}
    if quantity == "log odds":
        most = float(np.quantile(np.abs(_from_loss(past["nll"] if locked else arrays["nll"], quantity)), 0.99))
        # The darkest blue is wrong, the darkest red right, and white undecided.
        colours = {"cmin": -most, "cmax": most, "cmid": 0, "colorbar": bar}
    note = f"{int(right.sum()):,} of {count:,} right"
    layout = {"title": title(shown, "The model's answer to each input", note), **grid_axes(shown), "coloraxis": colours}
    return figure([heat], layout)


def _from_loss(nll: np.ndarray, quantity: str) -> np.ndarray:
    """Probability of the right answer, or its log odds, from the loss in half precision."""
    loss = np.maximum(nll.astype(np.float64), float(np.finfo(np.float16).smallest_subnormal))
    return np.exp(-loss) if quantity == "probability" else -np.log(np.expm1(np.minimum(loss, 700)))


def _view(name: str, heading: str, draw: Any, *, reads: tuple[str, ...] = (_READS,), split: bool = True) -> View:
    return View(
        name=f"behaviour.{name}",
        title=heading,
        grain=Grain.TRAJECTORY,
        draw=draw,
        needs=Needs(reads=reads),
        controls=(_SPLIT,) if split else (),
        time_axis="x",
    )


CALIBRATION_VIEWS = (
    View(
        name="behaviour.reliability",
        title="Reliability",
        synonyms=("ECE", "confidence"),
        grain=Grain.CHECKPOINT,
        draw=reliability,
        needs=Needs(reads=(_READS,)),
        controls=(_SPLIT,),
    ),
    _view("calibration", "Calibration over training", calibration, reads=(_READS, _METRICS), split=False),
    _view("quantiles", "Losses of single inputs", quantiles),
    _view("by_class", "Accuracy by right answer", by_class),
    View(
        name="behaviour.accuracy_grid",
        title="The answer to each input",
        grain=Grain.CHECKPOINT,
        draw=accuracy_grid,
        needs=Needs(reads=(_CORRECTNESS,), history=(_CORRECTNESS,), grid=2),
        controls=(
            Choice(name="quantity", options=tuple(_QUANTITIES)),
            SAME_SCALE,
        ),
    ),
)
