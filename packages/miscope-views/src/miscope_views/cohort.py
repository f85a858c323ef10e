"""Several variants together: their losses, their events, their key components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.maths.dated_events import long_name
from miscope.view import Member
from miscope_views.cohort_matrices import CLUSTERS_VIEW, WEIGHTS_VIEW, labels_of
from miscope_views.cohort_medians import medians
from miscope_views.cohort_order import LEARNING_VIEW, ORDER_VIEW
from miscope_views.cohort_quality import QUALITY_VIEW
from miscope_views.cohort_recorded import RECORDED_VIEW
from miscope_views.cohort_table import TABLE_VIEW
from miscope_views.definitions import by, counted, defined, did
from miscope_views.figures import faint, figure, line, panels, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LOSSES, _EVENTS, _SPECTRA = "cohort.losses", "cohort.events", "cohort.spectra"
_LOG = {"type": "log", "exponentformat": "power"}
_SPREAD, _DOUBT = "spread of the variants", "doubt of the median"
_STRONG = 30
"""Components that a spectrum over variants names."""


def losses(shown: ViewData, *, metric: str, align: str, band: str, each: bool) -> Figure:
    """Median of a metric over variants with their spread, or with its doubt, by step or since an event."""
    arrays = shown.artifacts[_LOSSES]
    time, spread = arrays[f"{align}/{metric}/time"], arrays[f"{align}/{metric}/band"]
    count = arrays[f"{align}/{metric}/count"]
    bands = {"all of them": spread[[0, 4]], "middle half": spread[[1, 3]]}
    if band == _DOUBT:
        bands = {
            "median, 95 %, all of it": arrays[f"{align}/{metric}/median_simultaneous"],
            "median, 95 %, each time": arrays[f"{align}/{metric}/median_pointwise"],
        }
    # Where some have ended, the spread is that of others than before, and no narrower for it.
    whole = count == count.max()
    traces = [
        trace
        for (name, (low, high)), opacity in zip(bands.items(), (0.12, 0.25), strict=True)
        for trace in _shaded(time[whole], low[whole], high[whole], name, opacity)
    ]
    if each:
        traces += [trace for member in shown.members for trace in _own_curve(member, metric, align)]
    middle = medians(time, spread[2], count)
    traces += middle
    unit = " (nats)" if metric.endswith("loss") else ""
    since = {"title": {"text": f"{shown.step_label}s since {defined(shown, align)}"}, "tickformat": ","}
    layout = {
        "title": title(shown, f"{metric.replace('_', ' ').capitalize()} over variants", _watched(time, count)),
        "xaxis": {} if align == "step" else since,
        "yaxis": {"title": {"text": metric.replace("_", " ") + unit}, **(_LOG if unit else {})},
        "showlegend": True,
        "meta": counted(align),
    }
    return figure(traces, layout, gaps=sum(int(np.isnan(trace["y"]).sum()) for trace in middle))


def _watched(time: np.ndarray, count: np.ndarray) -> str:
    """How many variants the median is of, and from when on it is of fewer, which may make it jump."""
    most = int(count.max())
    fewer = np.flatnonzero((count < most) & (np.arange(len(count)) > count.argmax()))
    return f"{most} variants" + (f", from {time[fewer[0]]:,.0f} on fewer, dashed: some end there" if len(fewer) else "")


def _shaded(x: np.ndarray, low: np.ndarray, high: np.ndarray, name: str, opacity: float) -> list[dict[str, Any]]:
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
    fill = {"fill": "tonexty", "fillcolor": faint(OKABE_ITO[0], opacity), "name": name}
    return [{**edge, "y": low, "showlegend": False}, {**edge, "y": high, **fill}]


def _own_curve(member: Member, metric: str, align: str) -> list[dict[str, Any]]:
    series, events = member.shown.metrics.get(metric), member.shown.events
    if series is None or (align != "step" and align not in events):
        return []
    steps = series.steps - (0 if align == "step" else events[align])
    hover = f"{member.label}: %{{y:.4g}} at %{{x:,.0f}}<extra></extra>"
    thin = {"width": 0.8}
    return [line(steps, series.values, member.label, NULL, line=thin, showlegend=False, hovertemplate=hover)]


def events(shown: ViewData, *, event: str) -> Figure:
    """When each variant reached an event, with its interval, and the share that had not: Kaplan and Meier's curve."""
    arrays = shown.artifacts[_EVENTS]
    column = arrays["event"].tolist().index(event)
    at, last, names = arrays["at"][:, column], arrays["last"], labels_of(shown, arrays)
    reached = np.isfinite(at)
    order = np.argsort(np.where(reached, at, np.inf), kind="stable")
    rows = [names[i] for i in order]
    traces = []
    for chosen, symbol, what, colour in (
        (reached[order], "circle", "reached", OKABE_ITO[0]),
        (~reached[order], "triangle-right-open", "not by the end", NULL),
    ):
        picked = order[chosen]
        x = np.where(reached, at, last)[picked]
        dots = {"type": "scatter", "mode": "markers", "x": x, "y": [names[i] for i in picked], "name": what}
        unlike = arrays["outlier"][picked, column]
        dots["marker"] = {"symbol": symbol, "size": 10, "color": np.where(unlike, OKABE_ITO[1], colour).tolist()}
        dots["customdata"] = [_unlike(each) for each in arrays["z"][picked, column]]
        dots["hovertemplate"] = f"%{{y}}: {long_name(event)} {what}, %{{x:,.0f}}%{{customdata}}<extra></extra>"
        if what == "reached":
            low, high = arrays["interval"][picked, column].T
            width = {"array": np.nan_to_num(high - x), "arrayminus": np.nan_to_num(x - low)}
            dots["error_x"] = {"type": "data", "symmetric": False, **width, "thickness": 1, "color": NULL}
        traces.append(dots)
    upper, lower = panels((max(1.0, len(names) / 6), 1))
    traces.append(_survival(arrays, event, float(last.max())))
    layout = {
        "title": title(shown, f"When the variants {did(event)}", by(shown, event) + _median_note(arrays, event)),
        "xaxis": {"rangemode": "tozero"},
        "yaxis": {"type": "category", "categoryarray": rows, "categoryorder": "array", "domain": upper},
        "yaxis2": {"title": {"text": "share that<br>has not"}, "domain": lower, "range": [-0.03, 1.05]},
        "shapes": _median_marks(arrays, event),
        "showlegend": True,
    }
    layout["yaxis"]["autorange"] = "reversed"
    return figure(traces, layout)


def _unlike(z: float) -> str:
    return f"<br>{z:+.1f} robust standard deviations from the median" if np.isfinite(z) else ""


def _survival(arrays: Any, event: str, end: float) -> dict[str, Any]:
    x = np.concatenate([[0.0], arrays[f"{event}/time"], [end]])
    left = np.concatenate([[1.0], arrays[f"{event}/survival"]])
    y = np.append(left, left[-1])
    hover = "%{y:.0%} have not, from %{x:,.0f}<extra></extra>"
    shape = {"shape": "hv"}
    return line(x, y, "has not", OKABE_ITO[1], line=shape, yaxis="y2", showlegend=False, hovertemplate=hover)


def _median_note(arrays: Any, event: str) -> str:
    count, total = int(arrays[f"{event}/count"]), len(arrays["variant"])
    median, (low, high) = float(arrays[f"{event}/median"]), arrays[f"{event}/median_interval"]
    reached = f"median {median:,.0f}" if np.isfinite(median) else "not reached by half"
    if np.isfinite(median) and not np.isnan(low):
        reached += f" [{low:,.0f}, {_until(high)}] ({arrays[f'{event}/median_method'][0]})"
    lower, upper = arrays[f"{event}/quartile"]
    reached += f" · middle half {lower:,.0f} to {_until(upper)}" if np.isfinite(lower) else ""
    odd, early = (int(arrays[name][:, arrays["event"].tolist().index(event)].sum()) for name in ("outlier", "already"))
    reached += f" · {early} by the first record, or before" if early else ""
    return f"{count} of {total} variants · {reached}" + (f" · {odd} unlike the rest" if odd else "")


def _until(step: float) -> str:
    return f"{step:,.0f}" if np.isfinite(step) else "beyond the end"


def _median_marks(arrays: Any, event: str) -> list[dict[str, Any]]:
    median, (low, high) = float(arrays[f"{event}/median"]), arrays[f"{event}/median_interval"]
    place = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    marks: list[dict[str, Any]] = []
    if np.isfinite([low, high]).all():
        band = {"type": "rect", **place, "x0": float(low), "x1": float(high), "line": {"width": 0}, "layer": "below"}
        marks.append({**band, "fillcolor": "rgba(154,154,154,0.2)"})
    if np.isfinite(median):
        marks.append({"type": "line", **place, "x0": median, "x1": median, "line": {"width": 1, "dash": "dot"}})
    return marks


def spectra(shown: ViewData, *, role: str) -> Figure:
    """Key components of each variant at the end, and the mean spectrum of an embedding over the variants."""
    arrays = shown.artifacts[_SPECTRA]
    names, labels, key = labels_of(shown, arrays), arrays["label"].tolist(), arrays["key"]
    ever = [bool(column.any()) for column in np.asarray(key).T]
    share, mean = arrays[f"{role}/share"].astype(np.float64), arrays[f"{role}/mean"]
    upper, lower = panels((max(1.0, len(names) / 8), 1))
    z = np.where(key, share, np.nan)
    unit = next(
        (b.unit for m in shown.members for b in m.shown.bases.values() if b.labels == tuple(labels)), "component"
    )
    hover = f"%{{y}}: {unit} %{{x}} is key, %{{z:.1%}} of {role}<extra></extra>"
    heat = {"type": "heatmap", "x": labels, "y": names, "z": z, "coloraxis": "coloraxis", "xgap": 1, "ygap": 2}
    heat |= {"hovertemplate": hover, "hoverongaps": False}
    bars: dict[str, Any] = {"type": "bar", "x": labels, "y": mean, "yaxis": "y2", "showlegend": False}
    bars["marker"] = {"color": [colour_of(name) if used else NULL for name, used in zip(labels, ever, strict=True)]}
    bars["hovertemplate"] = f"{unit} %{{x}}: mean share %{{y:.3f}}<extra></extra>"
    if f"{role}/low" in arrays:
        whiskers = {"array": arrays[f"{role}/high"] - mean, "arrayminus": mean - arrays[f"{role}/low"]}
        bars["error_y"] = {"type": "data", "symmetric": False, **whiskers, "thickness": 1, "width": 0, "color": NULL}
    layout = {
        "title": title(shown, "Key components of the variants", _shared(arrays)),
        "xaxis": {"title": {"text": unit}, "type": "category", "anchor": "y2", "showgrid": False, "nticks": _STRONG},
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names,
            "range": [len(names) - 0.5, -0.5],
            "domain": upper,
            "showgrid": False,
        },
        "yaxis2": {"title": {"text": f"mean share<br>of {role}"}, "domain": lower, "rangemode": "tozero"},
        "coloraxis": {
            "cmin": 0,
            "colorscale": "Blues",
            "colorbar": {"title": {"text": "share"}, "len": 0.5, "y": 0.75},
        },
    }
    return figure([heat, bars], layout, gaps=int((~key).sum()))


def _shared(arrays: Any) -> str:
    if not np.any(arrays["key"]):
        return "none of them has a key component"
    sentences = []
    for name, how in (("overlap", "two share"), ("relabelled_overlap", "relabelled")):
        if f"mean_{name}_null" in arrays:
            mean, low, high = arrays[f"mean_{name}_null"]
            seen, p = float(arrays[f"mean_{name}"]), float(arrays[f"{name}_p_value"])
            sentences.append(f"{how} {seen:.2f}, by chance {mean:.2f} [{low:.2f}, {high:.2f}], p = {p:.2g}")
    return " · ".join(sentences)


def _metrics(shown: ViewData) -> Sequence[str]:
    metrics = {name.split("/")[1] for name in shown.artifacts[_LOSSES] if name.endswith("/band")}
    return sorted(metrics, key=lambda name: (name != "test_loss", name))


def _alignments(shown: ViewData) -> Sequence[str]:
    """Ways to align that every metric has."""
    names = [name.split("/") for name in shown.artifacts[_LOSSES] if name.endswith("/band")]
    metrics = {metric for _, metric, _ in names}
    ways = dict.fromkeys(align for align, _, _ in names)
    return [align for align in ways if all([align, metric, "band"] in names for metric in metrics)]


def _bands(shown: ViewData) -> Sequence[str]:
    """The doubt of the median only where there are variants enough for it in every alignment."""
    names = list(shown.artifacts[_LOSSES])
    known = [name for name in names if name.endswith("/median_pointwise")]
    return (_SPREAD, _DOUBT) if len(known) == sum(name.endswith("/band") for name in names) else (_SPREAD,)


def _events_there(shown: ViewData) -> Sequence[str]:
    arrays = shown.artifacts[_EVENTS]
    return sorted(arrays["event"].tolist(), key=lambda name: name != "generalised")


def _roles(shown: ViewData) -> Sequence[str]:
    return [name.removesuffix("/mean") for name in shown.artifacts[_SPECTRA] if name.endswith("/mean")]


_SHARED: Any = {"grain": Grain.COHORT}

VIEWS = (
    View(
        name="cohort.losses",
        title="Losses over variants",
        draw=losses,
        in_reports=({}, {"align": "generalised"}),
        needs=Needs(reads=(_LOSSES,), metrics=("*_loss", "*_accuracy")),
        controls=(
            Choice(name="metric", options_from=_metrics),
            Choice(name="align", options_from=_alignments, label="align by"),
            Choice(name="band", options_from=_bands, label="bands"),
            Toggle(name="each", default=True, label="each variant"),
        ),
        time_axis="x",
        **_SHARED,
    ),
    View(
        name="cohort.events",
        title="Events over variants",
        draw=events,
        in_reports=({},),
        needs=Needs(reads=(_EVENTS,)),
        controls=(Choice(name="event", options_from=_events_there),),
        time_axis="x",
        **_SHARED,
    ),
    View(
        name="cohort.spectra",
        title="Key components over variants",
        draw=spectra,
        in_reports=({},),
        needs=Needs(reads=(_SPECTRA,), bases=("*",)),
        controls=(Choice(name="role", options_from=_roles, label="embedding"),),
        **_SHARED,
    ),
    ORDER_VIEW,
    LEARNING_VIEW,
    TABLE_VIEW,
    QUALITY_VIEW,
    RECORDED_VIEW,
    WEIGHTS_VIEW,
    CLUSTERS_VIEW,
)
