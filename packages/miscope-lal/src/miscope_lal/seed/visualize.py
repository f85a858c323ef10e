"""The seed's plots of one training, as figures of Plotly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope_lal.seed.metrics_history import MetricsHistory

if TYPE_CHECKING:
    import pyarrow
    from plotly.graph_objects import Figure
    from torch import nn

    from miscope_lal.seed.networks import Network

__all__ = ["plot_routing_heatmap", "plot_spectral_analysis", "plot_training_curves", "save_all_visualizations"]

_GROKKED = 0.95
_LINES = (("train_loss", "x", "y"), ("test_loss", "x", "y"), ("train_acc", "x2", "y2"), ("test_acc", "x2", "y2"))


def plot_training_curves(history: MetricsHistory | pyarrow.Table) -> Figure:
    """Loss, logarithmic, and accuracy over epochs, with a line at 95 % and one where the test accuracy reaches it."""
    from plotly.graph_objects import Figure

    from miscope_lal.seed.experiments import metric_names

    rows = history if isinstance(history, MetricsHistory) else MetricsHistory.of_table(history)
    table = rows.get_dataframe().to_pydict()
    traces: list[dict[str, Any]] = [
        {
            **{"type": "scatter", "mode": "lines", "name": metric_names[name], "xaxis": x, "yaxis": y},
            **{"x": table["epoch"], "y": table[name]},
        }
        for name, x, y in _LINES
    ]
    shapes: list[dict[str, Any]] = [
        {"type": "line", "xref": "x2 domain", "yref": "y2", "x0": 0, "x1": 1, "y0": _GROKKED, "y1": _GROKKED}
    ]
    grokked = rows.get_grokking_step(_GROKKED)
    if grokked is not None:
        for axis in ("", "2"):
            place = {"xref": f"x{axis}", "yref": f"y{axis} domain", "x0": grokked, "x1": grokked, "y0": 0, "y1": 1}
            shapes.append({"type": "line", "line": {"color": "red"}, **place})
    layout: dict[str, Any] = {
        "title": {"text": "Training Curves"},
        "xaxis": {"domain": [0, 0.45], "title": {"text": "Epoch"}},
        "xaxis2": {"domain": [0.55, 1], "title": {"text": "Epoch"}, "anchor": "y2"},
        "yaxis": {"type": "log", "exponentformat": "power", "title": {"text": "Loss (nats)"}},
        "yaxis2": {"range": [0, 1.05], "title": {"text": "Accuracy"}, "anchor": "x2"},
        "shapes": [{**shape, "line": {"dash": "dot", **shape.get("line", {})}} for shape in shapes],
    }
    return Figure(data=traces, layout=layout)


def plot_spectral_analysis(model: nn.Module, p: int) -> Figure:
    """The table of predicted answers, log(1 + power) of its transform, the constant in the middle, and the mean power
    by distance from it."""
    from plotly.graph_objects import Figure

    from miscope_lal.seed.curvature import predicted_table

    table = predicted_table(model, p).astype(np.float64)
    power = np.fft.fftshift(np.abs(np.fft.fft2(table)) ** 2)
    cycles = np.arange(p) - p // 2
    distance = np.rint(np.hypot(cycles[:, None], cycles)).astype(int)
    mean = [float(power[distance == radius].mean()) for radius in range(p // 2 + 1)]
    layout: dict[str, Any] = {
        "title": {"text": "Predicted answers and their spectrum"},
        "xaxis": {"domain": [0, 0.28], "title": {"text": "b"}},
        "yaxis": {"title": {"text": "a"}},
        "xaxis2": {"domain": [0.36, 0.64], "title": {"text": "Cycles along b"}, "anchor": "y2"},
        "yaxis2": {"title": {"text": "Cycles along a"}, "anchor": "x2"},
        "xaxis3": {"domain": [0.74, 1], "title": {"text": "Distance from the constant (cycles)"}, "anchor": "y3"},
        "yaxis3": {"type": "log", "exponentformat": "power", "title": {"text": "Mean power"}, "anchor": "x3"},
    }
    traces: list[dict[str, Any]] = [
        {"type": "heatmap", "z": table, "showscale": False},
        {"type": "heatmap", "x": cycles, "y": cycles, "z": np.log1p(power), "xaxis": "x2", "yaxis": "y2"}
        | {"showscale": False},
        {"type": "scatter", "mode": "lines", "x": list(range(len(mean))), "y": mean, "xaxis": "x3", "yaxis": "y3"},
    ]
    return Figure(data=traces, layout=layout)


def plot_routing_heatmap(model: Network, p: int, layer: int = 0) -> Figure:
    """The head with the largest routing weight at every pair, in one layer of a network that routes."""
    import torch
    from plotly.graph_objects import Figure

    with torch.no_grad():
        _, routing = model(model.questions())
    heads = routing.layer_weights[layer].argmax(-1).numpy().reshape(p, p)
    layout = {"title": {"text": f"Dominant head, layer {layer}"}, "xaxis": {"title": {"text": "b"}}}
    return Figure(
        data=[{"type": "heatmap", "z": heads, "zmin": 0, "zmax": routing.head_utilization.numel() - 1}],
        layout={**layout, "yaxis": {"title": {"text": "a"}}},
    )


def save_all_visualizations(
    history: MetricsHistory | pyarrow.Table, model: Network, p: int, folder: str | Path, *, suffix: str = "html"
) -> list[Path]:
    """Every plot that applies as a file: 'training_curves', 'spectral_analysis', and 'routing_layer_L' where it routes.

    suffix: html, or png, svg, pdf, which need a Chromium. The paths.
    """
    from miscope.figures.export import Exporter
    from miscope.store.atomic import make_folder

    make_folder(Path(folder))
    figures = {"training_curves": plot_training_curves(history), "spectral_analysis": plot_spectral_analysis(model, p)}
    for layer in range(len(model.family.routing_sites(model.params))):
        figures[f"routing_layer_{layer}"] = plot_routing_heatmap(model, p, layer)
    with Exporter() as exporter:
        return [exporter.export(figure, Path(folder) / f"{name}.{suffix}") for name, figure in figures.items()]
