"""The same components in every stream of the network side by side: what has a frequency first, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, Number, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, colour_of
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import dominant, first_row, holders, null_of, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_EMBEDDING, _SCORES, _LOGITS = "spectra.embedding", "scores.queries", "factors.shares"
_SHARES, _CLUSTERS = "neurons.frequencies", "neurons.clusters"

Lane = tuple[str, np.ndarray, np.ndarray]
"""What it shows, its steps (T,), and the share of each component (T, K)."""


def lanes(shown: ViewData, *, most: int) -> Figure:
    """Share of the dominant components in embedding, attention scores, neurons and logits, one lane each, over time."""
    arrays = shown.artifacts[_EMBEDDING]
    role = next(iter(holders(arrays, "fraction")), None)
    if role is None:
        reason = "none of its weights has the axis 'token', or one with a task basis, to be a stream of components"
        raise DoesNotApply(reason)
    labels = first_row(arrays[f"{role}/label"])
    lanes_drawn = [(f"{role}<br>power", arrays["step"], arrays[f"{role}/fraction"]), *_others(shown, labels.tolist())]
    strong = _strong(lanes_drawn, most)
    domains = panels([1.0] * len(lanes_drawn), 0.05)
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": title(shown, "Streams", "share of each component, by lane"),
        "xaxis": {"anchor": f"y{_suffix(len(lanes_drawn) - 1)}"},
        "legend": {"title": {"text": unit_of(shown, arrays, role)}},
        "showlegend": True,
    }
    for i, (name, steps, share) in enumerate(lanes_drawn):
        traces.append(_rest(shown, steps, np.delete(share, strong, axis=1), i))
        traces += [_curve(shown, steps, share[:, k], str(labels[k]), i) for k in strong]
        axis = {"title": {"text": name}, "domain": domains[i], "rangemode": "tozero", "nticks": 4}
        layout[f"yaxis{_suffix(i)}"] = axis
    return figure(traces, layout)


def _others(shown: ViewData, labels: list[str]) -> list[Lane]:
    """Lanes of the streams that were computed, in the network's order, as far as they are about the same components."""
    lanes_found: list[Lane] = []
    if _SCORES in shown.artifacts:
        arrays = shown.artifacts[_SCORES]
        heads = [head for head in holders(arrays, "fraction") if _about(arrays, head, labels)]
        if heads:
            mean = np.mean([arrays[f"{head}/fraction"] for head in heads], axis=0)
            lanes_found.append(("scores,<br>mean of heads", arrays["step"], mean))
    if _CLUSTERS in shown.artifacts and _SHARES in shown.artifacts:
        arrays, steps = shown.artifacts[_CLUSTERS], shown.artifacts[_SHARES]["step"]
        for site in holders(arrays, "size"):
            if arrays[f"{site}/label"].tolist() == labels:
                count = len(arrays[f"{site}/final"])
                lanes_found.append(("neurons<br>committed", steps, arrays[f"{site}/size"] / count))
    if _LOGITS in shown.artifacts:
        arrays = shown.artifacts[_LOGITS]
        if "logits/answer" in arrays and first_row(arrays["logits/answer_label"]).tolist() == labels:
            lanes_found.append(("logits along<br>the answer", arrays["step"], arrays["logits/answer"]))
    return lanes_found


def _about(arrays: Mapping[str, np.ndarray], name: str, labels: list[str]) -> bool:
    return first_row(arrays[f"{name}/label"]).tolist() == labels


def _strong(every: list[Lane], most: int) -> np.ndarray:
    """Components that stand out in some lane, those of most power over all lanes first, at most so many."""
    chosen: dict[int, float] = {}
    for _, steps, share in every:
        share = np.asarray(share, dtype=np.float64)
        for k in dominant(share, null_of(steps, share)):
            chosen[int(k)] = sum(float(lane[2][:, k].max()) for lane in every)
    return np.array(sorted(sorted(chosen, key=lambda k: -chosen[k])[:most]), dtype=int)


def _curve(shown: ViewData, steps: np.ndarray, share: np.ndarray, label: str, lane: int) -> dict[str, Any]:
    hover = f"{label}: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    place = {"yaxis": f"y{_suffix(lane)}", "legendgroup": label, "showlegend": lane == 0}
    return line(steps, share, label, colour_of(label), hovertemplate=hover, **place)


def _rest(shown: ViewData, steps: np.ndarray, others: np.ndarray, lane: int) -> dict[str, Any]:
    """The greatest of the components that are not drawn."""
    most = others.max(axis=1, initial=0.0)
    hover = f"greatest of all others: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    fill = {"fill": "tozeroy", "fillcolor": "rgba(154,154,154,0.3)", "line": {"width": 0}, "hovertemplate": hover}
    place = {"yaxis": f"y{_suffix(lane)}", "legendgroup": "others", "showlegend": lane == 0}
    return line(steps, most, "up to the greatest of all others", NULL, **fill, **place)


def _suffix(lane: int) -> str:
    return "" if lane == 0 else str(lane + 1)


VIEWS = (
    View(
        name="streams.lanes",
        title="Components in every stream",
        grain=Grain.TRAJECTORY,
        draw=lanes,
        needs=Needs(reads=(_EMBEDDING,), optional=(_SCORES, _SHARES, _CLUSTERS, _LOGITS), bases=("*",)),
        controls=(Number(name="most", default=6, minimum=1, maximum=12, label="components"),),
        time_axis="x",
    ),
)
