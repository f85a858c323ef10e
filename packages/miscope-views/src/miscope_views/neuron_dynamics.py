"""How neurons come to specialise over training: by component, by band, by switching, and when for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope_views.figures import figure, line, panels, title
from miscope_views.late_records import there_already
from miscope_views.named_arrays import apart, choice_of, ticked, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["DYNAMICS_VIEWS"]

_SHARES, _CLUSTERS, _BANDS = "neurons.frequencies", "neurons.clusters", "neurons.bands"
_MOST = 10


def specialisation(shown: ViewData, *, site: str, counting: str) -> Figure:
    """How many neurons are committed to, or specialised on, every component over training."""
    arrays = shown.artifacts[_CLUSTERS]
    labels, size = arrays[f"{site}/label"], arrays[f"{site}/{_COUNTED[counting]}"]
    steps, seen = _steps(shown), size
    unit = unit_of(shown, _first(shown), site)
    strong = np.argsort(-size.max(axis=0), kind="stable")[:_MOST]
    strong = apart(strong[size.max(axis=0)[strong] > 0], len(labels))
    heat = {
        "type": "heatmap",
        "x": steps,
        "y": labels.tolist(),
        "z": seen.T,
        "coloraxis": "coloraxis",
        "hovertemplate": f"{unit} %{{y}}<br>{shown.step_label} %{{x:,}}<br>%{{z}} neurons<extra></extra>",
    }
    layout: dict[str, Any] = {
        "title": title(shown, f"Neurons {counting} by component", site),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticked(labels, strong), "showgrid": False},
        "coloraxis": {"cmin": 0, "cmax": float(size.max()) or 1.0, "colorbar": {"title": {"text": "neurons"}}},
    }
    return figure([heat], layout)


_COUNTED = {"committed": "size", "specialised": "size_specialised"}


def bands(shown: ViewData, *, site: str) -> Figure:
    """Neurons committed to each band of components over training, and over how many components they spread."""
    arrays, steps = shown.artifacts[_BANDS], _steps(shown)
    upper, lower = panels((3, 2))
    traces = []
    for i, (name, span) in enumerate(zip(arrays[f"{site}/band"], arrays[f"{site}/range"], strict=True)):
        colour, hover = OKABE_ITO[i % len(OKABE_ITO)], f"{name}: %{{y}} neurons at %{{x:,}}<extra></extra>"
        committed, special = (arrays[f"{site}/{kind}"][:, i] for kind in ("committed", "specialised"))
        traces.append(line(steps, committed, f"{name} ({span})", colour, hovertemplate=hover))
        dashes = {"line": {"dash": "dot"}, "showlegend": False, "hovertemplate": hover}
        traces.append(line(steps, special, f"{name}, specialised", colour, **dashes))
    effective = arrays[f"{site}/effective"]
    hover = f"%{{y:.2f}} components at {shown.step_label} %{{x:,}}<extra></extra>"
    traces.append(line(steps, effective, "", OKABE_ITO[5], yaxis="y2", showlegend=False, hovertemplate=hover))
    layout: dict[str, Any] = {
        "title": title(shown, f"Bands of {site}", "solid: committed; dotted: specialised"),
        "yaxis": {"title": {"text": "neurons"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "effective components"}, "domain": lower, "rangemode": "tozero"},
        "legend": {"title": {"text": unit_of(shown, _first(shown), site)}},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=int(np.isnan(effective).sum()))


def switches(shown: ViewData, *, site: str) -> Figure:
    """From which component to which neurons switched, and when."""
    arrays, steps = shown.artifacts[_CLUSTERS], _steps(shown)
    labels, matrix = arrays[f"{site}/label"], arrays[f"{site}/transitions"]
    ever = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    names = labels[ever].tolist()
    unit = unit_of(shown, _first(shown), site)
    # Without a switch there is nothing to put into the upper panel.
    upper, lower = panels((2.4, 1), 0.16) if len(ever) else ([0.0, 1.0], [0.0, 1.0])
    heat = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": matrix[np.ix_(ever, ever)],
        "xaxis": "x2",
        "yaxis": "y2",
        "coloraxis": "coloraxis",
        "hovertemplate": "%{z} from %{y} to %{x}<extra></extra>",
    }
    hover = f"%{{y}} switched by {shown.step_label} %{{x:,}}<extra></extra>"
    count = line(steps, arrays[f"{site}/switched"], "", OKABE_ITO[0], showlegend=False, hovertemplate=hover)
    category = {"type": "category", "showgrid": False}
    layout: dict[str, Any] = {
        "title": title(shown, "Switches between components", f"{int(matrix.sum())} in all, {site}"),
        "yaxis": {"title": {"text": "neurons switching"}, "domain": lower, "rangemode": "tozero"},
        "xaxis2": {"title": {"text": f"to {unit}"}, "anchor": "y2", "visible": bool(len(ever)), **category},
        "yaxis2": {
            "title": {"text": f"from {unit}"},
            "domain": upper,
            "autorange": "reversed",
            "visible": bool(len(ever)),
            **category,
        },
        "coloraxis": {"cmin": 0, "colorbar": {"title": {"text": "switches"}, "len": 0.7, "y": 0.68}},
    }
    return figure([count, heat] if len(ever) else [count], layout)


def commitment(shown: ViewData, *, site: str) -> Figure:
    """How many neurons have settled for good on their final component, over training, component by component."""
    arrays, steps = shown.artifacts[_CLUSTERS], _steps(shown)
    final, when, first = (arrays[f"{site}/{name}"] for name in ("final", "commitment", "first"))
    names, counts = np.unique(final[final != ""], return_counts=True)
    chosen = set(names[np.argsort(-counts, kind="stable")[:_MOST]].tolist())
    settled = {str(k): when[final == k] for k in arrays[f"{site}/label"].tolist() if k in chosen}
    traces = [_reached(shown, steps, times, k, colour_of(k)) for k, times in settled.items()]
    upper, lower = panels((2, 1))
    for values, name, colour in ((first, "ever committed", NULL), (when, "for good", OKABE_ITO[0])):
        traces.append({**_reached(shown, steps, values, name, colour), "yaxis": "y2"})
    layout: dict[str, Any] = {
        "title": title(
            shown, f"Commitment of {site}", f"neurons that stay from then on{there_already(shown, steps, when)}"
        ),
        "yaxis": {"title": {"text": "settled neurons"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "all"}, "domain": lower, "rangemode": "tozero"},
        "legend": {"title": {"text": unit_of(shown, _first(shown), site)}},
        "showlegend": True,
    }
    return figure(traces, layout)


def transients(shown: ViewData, *, site: str) -> Figure:
    """Neurons on the components that came and went over training, beside those that stayed."""
    arrays, steps = shown.artifacts[_CLUSTERS], _steps(shown)
    labels, size, gone = (arrays[f"{site}/{name}"] for name in ("label", "size_passing", "transient"))
    stayed = [k for k in np.argsort(-size[-1], kind="stable")[:_MOST] if size[-1, k] > 0 and not gone[k]]
    traces = [_held(shown, steps, size[:, k], str(labels[k]), stays=True) for k in sorted(stayed)]
    traces += [_held(shown, steps, size[:, k], str(labels[k]), stays=False) for k in np.flatnonzero(gone)]
    homeless = int(arrays[f"{site}/homeless_count"])
    layout: dict[str, Any] = {
        "title": title(shown, "Transient components", f"{int(gone.sum())} transient, {homeless} neurons homeless"),
        "yaxis": {"title": {"text": "neurons on the component"}, "rangemode": "tozero"},
        "legend": {"title": {"text": unit_of(shown, _first(shown), site)}},
        "showlegend": True,
    }
    return figure(traces or [line(steps, size.sum(axis=1), "all", NULL)], layout)


def _held(shown: ViewData, steps: np.ndarray, size: np.ndarray, label: str, *, stays: bool) -> dict[str, Any]:
    look = {"line": {"width": 1.2 if stays else 2.2, "dash": "solid" if stays else "dash"}}
    hover = f"{label}: %{{y}} neurons at {shown.step_label} %{{x:,}}<extra></extra>"
    name = label if stays else f"{label}, transient"
    return line(steps, size, name, colour_of(label), opacity=0.6 if stays else 1.0, hovertemplate=hover, **look)


def _reached(shown: ViewData, steps: np.ndarray, when: np.ndarray, name: str, colour: str) -> dict[str, Any]:
    """How many have a step at or before each checkpoint."""
    count = np.searchsorted(np.sort(when[np.isfinite(when)]), steps, side="right")
    hover = f"{name}: %{{y}} neurons by {shown.step_label} %{{x:,}}<extra></extra>"
    return line(steps, count, name, colour, hovertemplate=hover)


def _steps(shown: ViewData) -> np.ndarray:
    return shown.artifacts[_SHARES]["step"]


def _first(shown: ViewData) -> dict[str, np.ndarray]:
    arrays = shown.artifacts[_SHARES]
    return {name: arrays[name] for name in arrays if name.endswith("/basis")}


def _view(name: str, titled: str, draw: Any, *controls: Any, quantity: str = "size", reads: str = _CLUSTERS) -> View:
    return View(
        name=f"neurons.{name}",
        title=titled,
        grain=Grain.TRAJECTORY,
        draw=draw,
        needs=Needs(reads=tuple(dict.fromkeys((reads, _SHARES))), bases=("*",), grid=2),
        controls=(choice_of("site", reads, quantity), *controls),
        time_axis="x",
    )


DYNAMICS_VIEWS = (
    _view(
        "specialisation",
        "Neurons by component over training",
        specialisation,
        Choice(name="counting", options=tuple(_COUNTED), label="count"),
    ),
    _view("bands", "Bands of components", bands, quantity="committed", reads=_BANDS),
    _view("switches", "Switches between components", switches),
    _view("commitment", "Commitment over training", commitment),
    _view("transients", "Transient components", transients),
)
