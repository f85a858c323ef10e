"""Loss on straight lines between weights: between checkpoints of a run, and between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _SEEDS = "connectivity.barriers", "connectivity.seeds"
_OF = {"train": "training", "test": "test", "all": "all inputs'"}


def barriers(shown: ViewData, *, part: str, logarithmic: bool) -> Figure:
    """How far the loss rises on the straight line between any two checkpoints; 0 where they are linearly connected."""
    arrays = shown.artifacts[_READS]
    heat, colours = _matrix(np.asarray(arrays[f"{part}/barrier"]), np.asarray(arrays["at"]), logarithmic)
    axis = {"showgrid": False, "constrain": "domain"}
    layout: dict[str, Any] = {
        "title": title(shown, f"Barriers of the {_OF[part]} loss between checkpoints"),
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x", "autorange": "reversed"},
        "coloraxis": colours,
        "meta": {"time_axes": ["x", "y"]},
    }
    return figure([heat], layout)


def profiles(shown: ViewData, *, part: str, quantity: str, towards: str, logarithmic: bool) -> Figure:
    """Loss or accuracy on the line from each checkpoint to one of them, early ones light, late ones dark."""
    arrays = shown.artifacts[_READS]
    steps, alpha = arrays["at"], arrays["alpha"]
    target = [f"{int(step)}" for step in steps].index(towards)
    values = np.asarray(arrays[f"{part}/{quantity}"])
    traces = []
    others = [i for i in range(len(steps)) if i != target]
    for place, i in enumerate(others):
        colour = _shade(place / max(len(others) - 1, 1))
        height = float(arrays[f"{part}/barrier"][i, target])
        name = f"{int(steps[i]):,}"
        hover = f"from {name}, barrier {height:.3g}<br>%{{x:.2f}} of the way: %{{y:.4g}}<extra></extra>"
        traces.append(line(alpha, values[i, target], name, colour, mode="lines+markers", hovertemplate=hover))
    traces.append(_of_steps(alpha, values[others, target], steps[others]))
    unit = f"{_OF[part]} loss, nats" if quantity == "loss" else f"{_OF[part]} accuracy"
    layout: dict[str, Any] = {
        "title": title(shown, f"Linear interpolation to {shown.step_label} {int(steps[target]):,}"),
        "xaxis": {"title": {"text": "share of the way"}, "range": [-0.02, 1.02]},
        "yaxis": {"title": {"text": unit}},
        "legend": {"title": {"text": f"from {shown.step_label}"}},
        "showlegend": True,
    }
    if logarithmic and quantity == "loss":
        layout["yaxis"] |= {"type": "log"}
    # What is lost of a curve is counted there, and not once more in the unseen trace.
    return figure(traces, layout, gaps=len(others) + int((~np.isfinite(values[others, target])).sum()))


def _of_steps(alpha: np.ndarray, values: np.ndarray, steps: np.ndarray) -> dict[str, Any]:
    """Which step each point of the curves is from, so that those of the current one are marked; itself unseen."""
    count = len(steps)
    lifted = np.concatenate([values, np.full((count, 1), np.nan)], axis=1).reshape(-1)
    place = {"x": np.tile([*alpha, np.nan], count), "y": lifted, "customdata": np.repeat(steps, len(alpha) + 1)}
    unseen = {"opacity": 0, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", "mode": "lines", **place, **unseen}


def seeds(shown: ViewData, *, part: str, quantity: str) -> Figure:
    """Loss or accuracy on the line between the last checkpoints of two runs, as they are and with matching units."""
    arrays = shown.artifacts[_SEEDS]
    labels = [member.label for member in shown.members]
    alpha, count = arrays["alpha"], len(labels)
    traces: list[dict[str, Any]] = []
    for when, colour, name in (("before", OKABE_ITO[1], "as they are"), ("after", OKABE_ITO[0], "units matched")):
        values = np.asarray(arrays[f"{part}/{when}_{quantity}"])
        heights = np.asarray(arrays[f"{part}/{when}_barrier"])
        for n, (i, j) in enumerate((i, j) for i in range(count) for j in range(count) if i < j):
            pair = f"{labels[i]} to {labels[j]}, barrier {heights[i, j]:.3g}"
            hover = f"{name}: {pair}<br>%{{x:.2f}} of the way: %{{y:.4g}}<extra></extra>"
            look = {"legendgroup": when, "showlegend": n == 0, "mode": "lines+markers", "opacity": 0.8}
            traces.append(line(alpha, values[i, j], name, colour, hovertemplate=hover, **look))
    median = {when: _off_diagonal(np.asarray(arrays[f"{part}/{when}_barrier"])) for when in ("before", "after")}
    note = f"median barrier {median['before']:.3g} as they are, {median['after']:.3g} with matching units"
    near = [_off_diagonal(np.asarray(arrays[f"all/{when}_cosine"])) for when in ("before", "after")]
    note += f" · cosine of their weights {near[0]:.2f}, {near[1]:.2f}"
    layout: dict[str, Any] = {
        "title": title(shown, f"Linear interpolation between {count} runs", note),
        "xaxis": {"title": {"text": "share of the way"}, "range": [-0.02, 1.02]},
        "yaxis": {"title": {"text": f"{_OF[part]} {quantity}" + (", nats" if quantity == "loss" else "")}},
        "showlegend": True,
    }
    return figure(traces or [line(alpha, np.full(len(alpha), 0.0), "", OKABE_ITO[0])], layout)


def _off_diagonal(matrix: np.ndarray) -> float:
    values = matrix[np.triu_indices(len(matrix), 1)]
    return float(np.median(values)) if len(values) else 0.0


def _matrix(values: np.ndarray, steps: np.ndarray, logarithmic: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A heat map and its colour axis; in logarithms down to a millionth of the largest."""
    top = float(values.max())
    shown, unit = values, "barrier, nats"
    axis: dict[str, Any] = {"cmin": 0, "cmax": top or 1.0}
    if logarithmic and top > 0:
        shown, unit = np.log10(np.maximum(values, 1e-6 * top)), "log₁₀ barrier"
        axis = {"cmin": float(np.log10(top) - 6), "cmax": float(np.log10(top))}
    hover = "%{y:,} to %{x:,}: %{customdata:.4g} nats<extra></extra>"
    heat = {"type": "heatmap", "x": steps, "y": steps, "z": shown, "customdata": values, "coloraxis": "coloraxis"}
    look = {"colorscale": "Viridis", "autocolorscale": False, "colorbar": {"title": {"text": unit}}}
    return {**heat, "hovertemplate": hover}, axis | look


def _shade(share: float) -> str:
    """From light to dark blue."""
    light, dark = (158, 202, 225), (8, 48, 107)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(light, dark, strict=True))


def _steps(shown: ViewData) -> tuple[str, ...]:
    return tuple(str(int(step)) for step in shown.artifacts[_READS]["at"][::-1])


def _parts(shown: ViewData) -> tuple[str, ...]:
    return holders(shown.artifacts[_SEEDS], "before_barrier")


_PART = choice_of("part", _READS, "barrier")

VIEWS = (
    View(
        name="connectivity.barriers",
        title="Barriers between checkpoints",
        synonyms=("mode connectivity", "LMC"),
        grain=Grain.TRAJECTORY,
        draw=barriers,
        needs=Needs(reads=(_READS,)),
        controls=(_PART, Toggle(name="logarithmic", label="logarithm")),
        time_axis="x",
    ),
    View(
        name="connectivity.profiles",
        title="Linear interpolation between checkpoints",
        grain=Grain.TRAJECTORY,
        draw=profiles,
        needs=Needs(reads=(_READS,)),
        controls=(
            _PART,
            Choice(name="quantity", options=("loss", "accuracy")),
            Choice(name="towards", options_from=_steps, label="to"),
            Toggle(name="logarithmic", default=True, label="logarithm of the loss"),
        ),
    ),
    View(
        name="connectivity.seeds",
        title="Linear interpolation between runs",
        synonyms=("mode connectivity", "git re-basin"),
        grain=Grain.COHORT,
        draw=seeds,
        needs=Needs(reads=(_SEEDS,)),
        controls=(Choice(name="part", options_from=_parts), Choice(name="quantity", options=("loss", "accuracy"))),
    ),
)
