"""How many directions the weight matrices use: over training, as spectra, and beside random matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.maths.marchenko_pastur import Bulk, density
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, line, title
from miscope_views.head_names import head_name
from miscope_views.named_arrays import choice_of, first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "ranks.weights"
_MEASURES: Mapping[str, str] = {
    "participation_sigma2": "participation ratio of s²",
    "participation_sigma": "participation ratio of s",
    "stable_rank": "stable rank",
    "entropy_rank": "entropy rank",
    "outliers": "singular values above the noise bulk",
    "alpha": "power-law exponent α of the tail of s²",
}
_EVERY = "all"
_DASHES = ("solid", "dash", "dot", "dashdot")
_BAND = "rgba(154,154,154,0.25)"


def over_training(shown: ViewData, *, measure: str, matrix: str, relative: bool) -> Figure:
    """Effective rank of every weight matrix over training; grey: 95 % of Gaussian matrices of the same shape."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    names = holders(arrays, measure) if matrix == _EVERY else (matrix,)
    against = relative and f"{names[0]}/null_{measure}" in arrays
    traces: list[dict[str, Any]] = []
    if against or (matrix != _EVERY and f"{matrix}/null_{measure}" in arrays):
        traces += _null(steps, [first_row(arrays[f"{name}/null_{measure}"]) for name in names], against)
    for i, name in enumerate(names):
        scale = first_row(arrays[f"{name}/null_{measure}"])[1] if against else 1.0
        values = np.asarray(arrays[f"{name}/{measure}"], dtype=np.float64) / scale
        if not np.isfinite(values).any():
            continue
        if matrix == _EVERY:
            together = values.mean(axis=1) if values.ndim == 2 else values
            traces.append(_curve(shown, together, name, i, gaps=measure == "alpha"))
        else:
            columns = values.T if values.ndim == 2 else values[None]
            labels = [head_name(matrix, h) for h in range(len(columns))] if values.ndim == 2 else [name]
            traces += [_curve(shown, c, label, h) for h, (c, label) in enumerate(zip(columns, labels, strict=True))]
    refused = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    note = "no matrix allows this measure" if not traces else "mean over heads" if matrix == _EVERY else matrix
    unit = _MEASURES[measure] + (" / that of Gaussian matrices" if against else "")
    layout: dict[str, Any] = {
        "title": title(shown, "Effective rank of the weights", note),
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces or [_nothing(steps)], layout, gaps=refused if traces else 1)


def scree(shown: ViewData, *, matrix: str, head: str, scale: str) -> Figure:
    """Every singular value of a matrix over training, from the largest down."""
    arrays = shown.artifacts[_READS]
    spectrum, which = _spectrum(arrays, matrix, head, stacked=True)
    values = _scaled(spectrum, scale)
    steps = arrays["step"]
    rank = np.arange(1, spectrum.shape[1] + 1)
    hover = f"value %{{y}}<br>{shown.step_label} %{{x:,}}<br>{_SCALES[scale]} %{{z:.4g}}<extra></extra>"
    heat = {"type": "heatmap", "x": steps, "y": rank, "z": values.T, "coloraxis": "coloraxis"}
    shared: dict[str, Any] = {"colorbar": {"title": {"text": _SCALES[scale]}}}
    if scale != "log":
        shared |= {"cmin": 0, "cmax": float(values.max()) or 1.0}
    layout = {
        "title": title(shown, f"Singular values of {matrix}{which} over training"),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": "singular value, by rank"}, "autorange": "reversed", "showgrid": False},
        "coloraxis": shared,
    }
    return figure([{**heat, "hovertemplate": hover}], layout)


def spectrum(shown: ViewData, *, matrix: str, head: str, locked: bool) -> Figure:
    """Singular values of a matrix by rank, beside those at the start; their squares as a histogram over the noise bulk.

    The bulk is the Marchenko-Pastur law of a matrix of independent entries with the same median.
    """
    arrays, before = shown.artifacts[_READS], shown.history[_READS]
    stacked, which = _spectrum(before, matrix, head, stacked=True)
    values, _ = _spectrum(arrays, matrix, head, stacked=False)
    rank, first = np.arange(1, len(values) + 1), stacked[0].astype(np.float64)
    start = f"at {shown.step_label} {int(before['step'][0]):,}"
    tip = "value %{x}: %{y:.4g}"
    traces: list[dict[str, Any]] = [
        line(rank, first, start, NULL, line={"width": 3}, hovertemplate=f"{tip} {start}<extra></extra>"),
        line(rank, values, "now", OKABE_ITO[0], mode="lines+markers", hovertemplate=f"{tip}<extra></extra>"),
        *_histogram(values),
    ]
    law = _law(arrays, matrix, head)
    note = f"bulk: none for {'a product' if '@' in matrix else 'so few values, or a low rank'}"
    if law is not None:
        x = np.geomspace(max(law.edges[0], 1e-6 * law.edges[1]), law.edges[1], 400)
        wanted = {"xaxis": "x2", "yaxis": "y2", "line": {"width": 2.4}}
        hover = "Marchenko-Pastur %{y:.3g} a decade at s² = %{x:.4g}<extra></extra>"
        traces.append(line(x, density(x, law) * x * _DECADE, "noise bulk", OKABE_ITO[1], **wanted, hovertemplate=hover))
        count = int((values.astype(np.float64) ** 2 > law.limit).sum())
        note = f"{count} of {len(values)} singular values above the noise bulk"
    layout: dict[str, Any] = {
        "title": title(shown, f"Spectrum of {matrix}{which}", note),
        "xaxis": {"domain": [0, 0.42], "title": {"text": "rank"}},
        "yaxis": {"title": {"text": "singular value s"}, "rangemode": "tozero"},
        "xaxis2": {"domain": [0.58, 1], "anchor": "y2", "title": {"text": "s²"}, **_DECADES},
        "yaxis2": {"anchor": "x2", "title": {"text": "share of values a decade of s²"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    if locked:
        layout["yaxis"]["range"] = [0, 1.05 * float(stacked.max())]
    return figure(traces, layout)


_DECADE = float(np.log(10))
_DECADES: Mapping[str, Any] = {"type": "log", "dtick": 1, "tickangle": 0}
_SCALES: Mapping[str, str] = {"values": "s", "share": "share of s²", "log": "log₁₀ s"}


def _scaled(values: np.ndarray, scale: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if scale == "share":
        total = (values**2).sum(axis=-1, keepdims=True)
        return values**2 / np.where(total > 0, total, 1.0)
    # What float32 cannot tell from zero is drawn at the foot of the scale.
    floor = max(1e-6 * float(values.max()), 1e-12)
    return np.log10(np.maximum(values, floor)) if scale == "log" else values


def _spectrum(arrays: Mapping[str, np.ndarray], matrix: str, head: str, *, stacked: bool) -> tuple[np.ndarray, str]:
    """One row of singular values (at every step), and what to call it; a head beyond the last is the last."""
    values = arrays[f"{matrix}/spectrum"]
    if values.ndim == (2 if stacked else 1):
        return values, ""
    index = min(int(head), values.shape[-2] - 1)
    return values[..., index, :], f", {head_name(matrix, index)}"


def _law(arrays: Mapping[str, np.ndarray], matrix: str, head: str) -> Bulk | None:
    variance = np.ravel(arrays[f"{matrix}/bulk_variance"])
    chosen = float(variance[min(int(head), len(variance) - 1)])
    small, large = sorted(int(n) for n in arrays[f"{matrix}/shape"])
    return Bulk(variance=chosen, shape=(small, large)) if np.isfinite(chosen) else None


def _histogram(values: np.ndarray) -> list[dict[str, Any]]:
    """Squared values by decade, so that a bulk stays wide beside values a thousand times larger; zeros are left out."""
    squares = values.astype(np.float64) ** 2
    squares = squares[squares > 1e-12 * squares.max(initial=0)]
    if not len(squares):
        return []
    bins = np.geomspace(squares.min() * 0.99, squares.max() * 1.01, 41)
    count, edges = np.histogram(squares, bins)
    height = count / len(values) / np.diff(np.log10(edges))
    place = {"xaxis": "x2", "yaxis": "y2", "name": "s² now", "marker": {"color": OKABE_ITO[0]}, "showlegend": False}
    hover = "s² about %{x:.4g}: %{y:.3g} of the values a decade<extra></extra>"
    return [
        {"type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": height, "width": np.diff(edges)}
        | place
        | {"hovertemplate": hover}
    ]


def _curve(shown: ViewData, values: np.ndarray, name: str, place: int, *, gaps: bool = False) -> dict[str, Any]:
    turn, colour = divmod(place, len(OKABE_ITO) - 1)
    look = {"dash": _DASHES[turn % len(_DASHES)]}
    mode = {"mode": "lines+markers", "marker": {"size": 4}} if gaps else {}
    hover = f"{name}: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    return line(
        shown.artifacts[_READS]["step"], values, name, OKABE_ITO[colour], line=look, hovertemplate=hover, **mode
    )


def _null(steps: np.ndarray, bands: list[np.ndarray], relative: bool) -> list[dict[str, Any]]:
    """The widest band of the matrices drawn, as a strip over training."""
    low = min(band[0] / (band[1] if relative else 1) for band in bands)
    high = max(band[2] / (band[1] if relative else 1) for band in bands)
    across = np.array([steps[0], steps[-1]])
    edge = {"type": "scatter", "mode": "lines", "x": across, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    below = {**edge, "y": np.array([low, low]), "showlegend": False}
    return [below, {**edge, "y": np.array([high, high]), "name": "Gaussian", "fill": "tonexty", "fillcolor": _BAND}]


def _nothing(steps: np.ndarray) -> dict[str, Any]:
    return {"type": "scatter", "x": steps[:1], "y": np.array([np.nan]), "showlegend": False}


def _matrices(shown: ViewData) -> tuple[str, ...]:
    return (_EVERY, *holders(shown.artifacts[_READS], "stable_rank"))


def _heads(shown: ViewData) -> tuple[str, ...]:
    arrays = shown.artifacts[_READS]
    by_head = [arrays[f"{name}/stable_rank"] for name in holders(arrays, "stable_rank")]
    time = 0 if shown.step is not None else 1
    return tuple(str(h) for h in range(max([a.shape[time] for a in by_head if a.ndim > time], default=1)))


_MATRIX = choice_of("matrix", _READS, "spectrum")
# The same number in whichever layer the matrix is of: no head that other cards could show too.
_HEAD = Choice(name="head", options_from=_heads, selects="")

VIEWS = (
    View(
        name="ranks.over_training",
        title="Effective rank of the weights",
        synonyms=("SVD", "stable rank"),
        grain=Grain.TRAJECTORY,
        draw=over_training,
        needs=Needs(reads=(_READS,)),
        controls=(
            Choice(name="measure", options=tuple(_MEASURES)),
            Choice(name="matrix", options_from=_matrices, default=_EVERY),
            Toggle(name="relative", default=True, label="relative to Gaussian matrices"),
        ),
        time_axis="x",
    ),
    View(
        name="ranks.scree",
        title="Singular values over training",
        synonyms=("SVD", "scree plot"),
        grain=Grain.TRAJECTORY,
        draw=scree,
        needs=Needs(reads=(_READS,)),
        controls=(_MATRIX, _HEAD, Choice(name="scale", options=tuple(_SCALES))),
        time_axis="x",
    ),
    View(
        name="ranks.spectrum",
        title="Spectrum of a weight matrix",
        synonyms=("SVD", "power law", "random matrix theory"),
        grain=Grain.CHECKPOINT,
        draw=spectrum,
        needs=Needs(reads=(_READS,), history=(_READS,)),
        controls=(_MATRIX, _HEAD, SAME_SCALE),
    ),
)
