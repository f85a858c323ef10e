"""The seed's functions over its experiments: which there are, their tables, their sweeps, a plot of any column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.errors import UnknownName
from miscope_lal.seed.history import history_table

if TYPE_CHECKING:
    import pyarrow
    from plotly.graph_objects import Figure

    from miscope.workspace import Workspace

__all__ = ["LOG_SCALE", "create_metric_plot", "get_sweep_groups", "list_experiments", "load_experiment", "metric_names"]

metric_names: Mapping[str, str] = {
    "train_loss": "Train Loss",
    "test_loss": "Test Loss",
    "train_acc": "Train Accuracy",
    "test_acc": "Test Accuracy",
    "routing_entropy": "Routing Entropy",
    "spectral_smoothness": "Spectral Smoothness",
    "representation_norm": "Representation Norm",
    "jacobian_norm": "Jacobian Norm",
    "hessian_trace": "Hessian Trace",
    "gradient_norm": "Gradient Norm (‖∇_w L‖)",
    "weight_hessian_trace": "Weight Hessian Trace",
    "fisher_trace": "Fisher Trace",
    "effective_lr_mean": "Effective LR (mean √v)",
    "effective_lr_max": "Effective LR (max √v)",
    "adam_ratio_mean": "Adam Ratio (mean)",
    "adam_ratio_max": "Adam Ratio (max)",
    "update_decay_ratio": "Update/Decay Ratio",
    "total_weight_norm": "Total Weight Norm",
    "decayed_weight_norm": "Decayed Weight Norm",
}
"""What each column is called on an axis; one that is not here by its own name, with capitals."""

LOG_SCALE = frozenset(
    {
        *("train_loss", "test_loss", "jacobian_norm", "gradient_norm", "weight_hessian_trace", "fisher_trace"),
        *("effective_lr_mean", "effective_lr_max", "adam_ratio_mean", "adam_ratio_max", "update_decay_ratio"),
    }
)
"""Columns that are drawn logarithmically where all their numbers are positive."""


def list_experiments(workspace: str | Path | None = None) -> list[str]:
    """Names of the variants of this package's families, those trained last first.

    workspace: None for the one in force.
    """
    place = _opened(workspace)
    named = [name for name in place.names() if name.startswith("lal.")]
    return sorted(named, key=lambda name: place.store.layout.record(name).stat().st_mtime, reverse=True)


def load_experiment(name: str, workspace: str | Path | None = None) -> pyarrow.Table:
    """The table of a variant, a row for each logged epoch; `.to_pandas()` makes a data frame of it."""
    place = _opened(workspace)
    return history_table(place, place.find(name))


def get_sweep_groups(workspace: str | Path | None = None) -> dict[str, list[str]]:
    """The variants of each sweep, by its name."""
    from miscope.index.groups import trained_groups

    return trained_groups(_opened(workspace).index)


def create_metric_plot(tables: Mapping[str, pyarrow.Table], metric: str, layers: Sequence[str] = ()) -> Figure:
    """One column of several experiments over epochs; log where the seed has it and all numbers are positive.

    tables: by experiment, as `load_experiment` gives them. layers: names for 'layer_I_weight_norm'. Numbers that are
    null, NaN or infinite are left out of each line; where nothing is left the figure says so. Raises UnknownName for
    a column that no table could have.
    """
    from plotly.graph_objects import Figure

    known = {name for table in tables.values() for name in table.column_names} | set(metric_names)
    if metric not in known:
        raise UnknownName("column", metric, sorted(known), listing=f"The tables have: {', '.join(sorted(known))}.")
    title = _title(metric, layers)
    traces: list[dict[str, Any]] = []
    for name, table in tables.items():
        epochs, values = _numbers(table, metric)
        if len(values):
            traces.append({"type": "scatter", "mode": "lines", "name": name, "x": epochs, "y": values})
    layout: dict[str, Any] = {"title": {"text": title}, "xaxis": {"title": {"text": "Epoch"}}, "showlegend": True}
    # Names of variants are long: below, they leave the plot its width.
    layout["legend"] = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
    layout["margin"] = {"b": 80 + 20 * len(tables)}
    layout["yaxis"] = {"title": {"text": title}}
    if not traces:
        said = f"{title} was not recorded." if tables else "No experiment is selected."
        layout["annotations"] = [
            {"text": said, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
        ]
    elif metric in LOG_SCALE and all((trace["y"] > 0).all() for trace in traces):
        layout["yaxis"] |= {"type": "log", "exponentformat": "power"}
    return Figure(data=traces, layout=layout)


def _title(metric: str, layers: Sequence[str]) -> str:
    number = metric.removeprefix("layer_").removesuffix("_weight_norm")
    if number.isdecimal() and int(number) < len(layers):
        return f"‖{layers[int(number)]}‖"
    return metric_names.get(metric, metric.replace("_", " ").title())


def _numbers(table: pyarrow.Table, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and finite values; empty where the table has no such column."""
    if metric not in table.column_names:
        return np.zeros(0), np.zeros(0)
    epoch = "epoch" if "epoch" in table.column_names else "step"
    values = np.asarray(table[metric].to_numpy(zero_copy_only=False), dtype=np.float64)
    kept = np.isfinite(values)
    return table[epoch].to_numpy()[kept], values[kept]


def _opened(workspace: str | Path | None) -> Workspace:
    from miscope.workspace import open_workspace

    return open_workspace(workspace)
