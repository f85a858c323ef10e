"""What the answers lose without a head, a layer, a frequency of the embedding or a cluster of neurons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.view import SAME_SCALE
from miscope_views.figures import WIDE, band, figure, line, title
from miscope_views.interactions import DATA, INTERACTIONS_VIEW
from miscope_views.named_arrays import choice_of, first_row, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_EFFECTS, _EMBEDDING, _CLUSTERS = "ablations.effects", "ablations.embedding", "ablations.clusters"
_MODE_COLOURS = {"mean": OKABE_ITO[0], "zero": OKABE_ITO[4], "resample": OKABE_ITO[2]}
_PUT = {"mean": "its mean", "zero": "zero", "resample": "another input's"}
_DASHES = ("solid", "dash", "dot", "dashdot")

Arrays = Mapping[str, np.ndarray]


def effects(shown: ViewData, *, data: str, quantity: str, locked: bool) -> Figure:
    """Change of loss or accuracy with each head and layer at its mean, zero or another input's; 95 % intervals."""
    arrays, history = shown.artifacts[_EFFECTS], shown.history[_EFFECTS]
    traces = []
    for row, mode in enumerate(arrays["mode"].tolist()):
        values = arrays[f"{data}/{quantity}"][row]
        error = WIDE * arrays[f"{data}/{quantity}_sem"][row]
        hover = f"%{{x}} at {_PUT[mode]}: %{{y:+.4g}} ± %{{error_y.array:.2g}}<extra></extra>"
        bar = {"type": "bar", "x": arrays["unit"].tolist(), "y": values, "name": f"at {_PUT[mode]}"}
        traces.append(bar | {"error_y": _whiskers(error), "hovertemplate": hover})
        traces[-1]["marker"] = {"color": _MODE_COLOURS[mode]}
    layout = {
        "title": title(shown, "What is lost without a head or a layer", _note(arrays, data, quantity)),
        "xaxis": {"type": "category", "showgrid": False},
        "yaxis": _change_axis(quantity, history[f"{data}/{quantity}"] if locked else None),
        "barmode": "group",
        "showlegend": True,
    }
    return figure(traces, layout)


def over_training(shown: ViewData, *, data: str, quantity: str, mode: str) -> Figure:
    """Change of loss or accuracy without each head and layer over training; bands are 95 % intervals."""
    arrays = shown.artifacts[_EFFECTS]
    names, row = first_row(arrays["unit"]).tolist(), first_row(arrays["mode"]).tolist().index(mode)
    kinds = first_row(arrays["kind"])
    traces: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        turn, place = divmod(i, len(OKABE_ITO) - 1)
        style = {"dash": _DASHES[turn % len(_DASHES)], "width": 1.6 if kinds[i] == "head" else 2.4}
        values = arrays[f"{data}/{quantity}"][:, row, i]
        error = WIDE * arrays[f"{data}/{quantity}_sem"][:, row, i]
        hover = f"{name}: %{{y:+.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces += band(arrays["step"], values, error, OKABE_ITO[place], name)
        curve = line(arrays["step"], values, name, OKABE_ITO[place], line=style, hovertemplate=hover)
        traces.append({**curve, "legendgroup": name})
    layout = {
        "title": title(shown, f"What is lost with a part at {_PUT[mode]}", _note(arrays, data, quantity)),
        "yaxis": _change_axis(quantity, None),
        "showlegend": True,
    }
    return figure(traces, layout)


def embedding(shown: ViewData, *, data: str, quantity: str, locked: bool) -> Figure:
    """Loss or accuracy without each strong component of the embedding, beside the key components alone."""
    arrays, history = shown.artifacts[_EMBEDDING], shown.history[_EMBEDDING]
    tried = np.flatnonzero(np.isfinite(arrays[f"{data}/{quantity}"]))
    labels = arrays["label"][tried].tolist()
    if not labels:
        raise DoesNotApply(f"no change of {quantity} is a number")
    whole, kept = (float(arrays[f"{which}/{data}_{quantity}"]) for which in ("clean", "kept"))
    values = arrays[f"{data}/{quantity}"][tried] + whole
    error = WIDE * arrays[f"{data}/{quantity}_sem"][tried]
    unit = next((basis.unit for basis in shown.bases.values() if labels[0] in basis.labels), "component")
    hover = f"without {unit} %{{x}}: {quantity} %{{y:.4g}}<br>%{{customdata:.1%}} of the power<extra></extra>"
    key = arrays["key"][tried]
    bars = {"type": "bar", "x": labels, "y": values, "error_y": _whiskers(error), "hovertemplate": hover}
    bars |= {"marker": {"color": [colour_of(name) if k else NULL for name, k in zip(labels, key, strict=True)]}}
    bars["customdata"] = arrays["share"][tried]
    stacked = history[f"{data}/{quantity}"] + history[f"clean/{data}_{quantity}"][:, None]
    roles = ", ".join(arrays["role"].tolist())
    note = f"ablated in {roles} · {DATA[data]} · {quantity} {whole:.3g} as it is · grey: no key component"
    layout = {
        "title": title(shown, "Answers without a component of the embedding", note),
        "xaxis": {"title": {"text": f"ablated {unit}"}, "type": "category", "showgrid": False},
        "yaxis": _level_axis(quantity, float(np.nanmax(stacked)) if locked else None),
        "shapes": [_level(kept, "key components alone")],
        "showlegend": False,
    }
    return figure([bars], layout)


def embedding_over_training(shown: ViewData, *, data: str, quantity: str) -> Figure:
    """Change of loss or accuracy without each key component of the embedding over training, with 95 % intervals."""
    arrays = shown.artifacts[_EMBEDDING]
    labels, values = first_row(arrays["label"]), arrays[f"{data}/{quantity}"]
    ever = np.flatnonzero(arrays["key"].any(axis=0) & np.isfinite(values).any(axis=0))
    if not len(ever):
        reason = "no component of its embedding is key at any step"
        raise DoesNotApply(reason)
    ever = np.sort(ever[np.argsort(-np.nanmax(np.abs(values[:, ever]), axis=0), kind="stable")][:8])
    traces, gaps = [], 0
    for k in ever:
        name, colour = str(labels[k]), colour_of(str(labels[k]))
        error = WIDE * arrays[f"{data}/{quantity}_sem"][:, k]
        hover = f"without {name}: %{{y:+.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        seen = np.isfinite(values[:, k])
        traces += band(arrays["step"][seen], values[seen, k], error[seen], colour, name)
        curve = line(arrays["step"], values[:, k], name, colour, hovertemplate=hover)
        traces.append({**curve, "legendgroup": name})
        gaps += int((~seen).sum())
    unit = next((basis.unit for basis in shown.bases.values() if labels[0] in basis.labels), "component")
    layout = {
        "title": title(shown, "What is lost without a key component", _note(arrays, data, quantity)),
        "yaxis": _change_axis(quantity, None),
        "legend": {"title": {"text": unit}},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def clusters(shown: ViewData, *, site: str, data: str, quantity: str, locked: bool) -> Figure:
    """Change of loss or accuracy with all neurons of one component at their mean; the number of neurons above each."""
    arrays, history = shown.artifacts[_CLUSTERS], shown.history[_CLUSTERS]
    values = arrays[f"{site}/{data}/{quantity}"]
    tried = np.flatnonzero(np.isfinite(values))
    names, size = arrays[f"{site}/cluster"][tried].tolist(), arrays[f"{site}/size"][tried]
    error = WIDE * arrays[f"{site}/{data}/{quantity}_sem"][tried]
    hover = f"cluster %{{x}}, %{{customdata}} neurons: {quantity} %{{y:+.4g}} ± %{{error_y.array:.2g}}<extra></extra>"
    colours = [NULL if name == "none" else colour_of(name) for name in names]
    ticks = [f"{name}<br>{count}" for name, count in zip(names, size, strict=True)]
    bars = {"type": "bar", "x": names, "y": values[tried], "customdata": size, "marker": {"color": colours}}
    bars |= {"error_y": _whiskers(error), "hovertemplate": hover}
    unit = unit_of(shown, shown.artifacts["neurons.frequencies"], site)
    layout = {
        "title": title(shown, f"What is lost without a cluster of {site}", _note(arrays, data, quantity)),
        "xaxis": {
            "title": {"text": f"{unit} of the cluster, its neurons below; none: specialised on nothing"},
            "type": "category",
            "tickvals": names,
            "ticktext": ticks,
            "showgrid": False,
        },
        "yaxis": _change_axis(quantity, history[f"{site}/{data}/{quantity}"] if locked else None),
        "showlegend": False,
    }
    return figure([bars], layout)


def _note(arrays: Arrays, data: str, quantity: str) -> str:
    count = int(np.ravel(arrays["inputs"])[-1])
    return f"change of {quantity} on {DATA[data]}, those among {count:,} drawn · 95 % intervals"


def _whiskers(error: np.ndarray) -> dict[str, Any]:
    return {"type": "data", "array": error, "thickness": 1, "width": 3, "color": NULL}


def _change_axis(quantity: str, over_time: np.ndarray | None) -> dict[str, Any]:
    unit = " (nats)" if quantity == "loss" else ""
    axis: dict[str, Any] = {"title": {"text": f"change of {quantity}{unit}"}, "zeroline": True}
    if over_time is None or not np.isfinite(over_time).any():
        return axis
    low, high = min(0.0, float(np.nanmin(over_time))), max(0.0, float(np.nanmax(over_time)))
    margin = 0.06 * max(high - low, 1e-9)
    return {**axis, "range": [low - margin, high + margin]}


def _level_axis(quantity: str, highest: float | None) -> dict[str, Any]:
    if quantity == "accuracy":
        return {"title": {"text": "accuracy"}, "range": [0, 1.08]}
    axis = {"title": {"text": "loss (nats)"}, "rangemode": "tozero"}
    return axis if highest is None else {**axis, "range": [0, 1.08 * highest]}


def _level(height: float, text: str) -> dict[str, Any]:
    label = {"text": f"{text}: {height:.3g}", "textposition": "end", "yanchor": "bottom"}
    place = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}


def _data_of(analyzer: str) -> Callable[[ViewData], Sequence[str]]:
    def offered(shown: ViewData) -> Sequence[str]:
        names = {name.rpartition("/")[0].rpartition("/")[2] for name in shown.artifacts[analyzer] if "loss_sem" in name}
        return [part for part in DATA if part in names]

    return offered


def _data(analyzer: str) -> Choice:
    return Choice(name="data", options_from=_data_of(analyzer), label="inputs")


_QUANTITY = Choice(name="quantity", options=("loss", "accuracy"))
_AT_STEP: Any = {"grain": Grain.CHECKPOINT}
_OVER_TIME: Any = {"grain": Grain.TRAJECTORY, "time_axis": "x"}

VIEWS = (
    View(
        name="ablations.effects",
        title="Ablated heads and layers",
        synonyms=("knockout", "mean ablation", "causal"),
        draw=effects,
        in_reports=({},),
        needs=Needs(reads=(_EFFECTS,), history=(_EFFECTS,)),
        controls=(_data(_EFFECTS), _QUANTITY, SAME_SCALE),
        **_AT_STEP,
    ),
    View(
        name="ablations.over_training",
        title="Ablated heads and layers over training",
        draw=over_training,
        needs=Needs(reads=(_EFFECTS,)),
        controls=(_data(_EFFECTS), _QUANTITY, Choice(name="mode", options=tuple(_PUT))),
        **_OVER_TIME,
    ),
    View(
        name="ablations.embedding",
        title="Embedding without a component",
        draw=embedding,
        needs=Needs(reads=(_EMBEDDING,), history=(_EMBEDDING,), bases=("*",)),
        controls=(_data(_EMBEDDING), _QUANTITY, SAME_SCALE),
        **_AT_STEP,
    ),
    View(
        name="ablations.embedding_over_training",
        title="Embedding without a key component over training",
        draw=embedding_over_training,
        needs=Needs(reads=(_EMBEDDING,), bases=("*",)),
        controls=(_data(_EMBEDDING), _QUANTITY),
        **_OVER_TIME,
    ),
    View(
        name="ablations.clusters",
        title="Ablated clusters of neurons",
        draw=clusters,
        needs=Needs(reads=(_CLUSTERS, "neurons.frequencies"), history=(_CLUSTERS,), bases=("*",)),
        controls=(choice_of("site", _CLUSTERS, "size"), _data(_CLUSTERS), _QUANTITY, SAME_SCALE),
        **_AT_STEP,
    ),
    INTERACTIONS_VIEW,
)
