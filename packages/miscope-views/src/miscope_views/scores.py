"""Which components decide what heads attend to: scores of the answer's query, and between tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, title
from miscope_views.head_names import head_name
from miscope_views.named_arrays import choice_of, holders
from miscope_views.spectrum_figures import bars, lines, over_training

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _CIRCUITS = "scores.queries", "scores.circuits"
# In words of their own, 'blocks.0.attn[1]': no head that other cards could show too.
_HEAD, _CIRCUIT = (replace(choice_of("head", reads, "fraction"), selects="") for reads in (_READS, _CIRCUITS))


def spectrum(shown: ViewData, *, head: str, locked: bool) -> Figure:
    """Share of the answer's score of tokens in each component of the task basis, one head at a time."""
    return bars(shown, _READS, role=head, locked=locked)


def score_map(shown: ViewData, *, head: str) -> Figure:
    """Share of the answer's score of tokens in every component, over training."""
    return over_training(shown, _READS, role=head)


def score_lines(shown: ViewData, *, head: str) -> Figure:
    """Dominant components of the answer's score of tokens over training, above a band that holds the others."""
    return lines(shown, _READS, role=head)


def circuit_spectrum(shown: ViewData, *, head: str, locked: bool) -> Figure:
    """Share of what tokens ask of tokens that couples each component to itself, one head at a time."""
    return bars(shown, _CIRCUITS, role=head, locked=locked)


def circuit_map(shown: ViewData, *, head: str) -> Figure:
    """Share of what tokens ask of tokens that couples each component to itself, over training."""
    return over_training(shown, _CIRCUITS, role=head)


def tokens(shown: ViewData, *, locked: bool) -> Figure:
    """The score that the answer's query gives each token, all heads together, less its mean."""
    arrays = shown.artifacts[_READS]
    traces = [_curve(arrays[f"{head}/score"], _named(head), i) for i, head in enumerate(holders(arrays, "score"))]
    layout: dict[str, Any] = {
        "title": title(shown, "Score of each token", "before the softmax, less the mean over tokens"),
        "xaxis": {"title": {"text": "token"}},
        "yaxis": {"title": {"text": "score"}},
        "showlegend": True,
    }
    if locked:
        past = shown.history[_READS]
        most = max(float(np.abs(past[f"{head}/score"]).max()) for head in holders(arrays, "score"))
        layout["yaxis"]["range"] = [-1.05 * most, 1.05 * most]
    return figure(traces, layout)


def _named(head: str) -> str:
    """'L0H1' of 'blocks.0.attn[1]'."""
    block, _, number = head.removesuffix("]").rpartition("[")
    return head_name(block, int(number))


def _curve(score: np.ndarray, head: str, number: int) -> dict[str, Any]:
    colour = OKABE_ITO[number % len(OKABE_ITO)]
    place = {"type": "scatter", "mode": "lines+markers", "x": np.arange(len(score)), "y": score, "name": head}
    look = {"line": {"color": colour, "width": 1.2}, "marker": {"size": 3}}
    return {**place, **look, "hovertemplate": f"{head}<br>token %{{x}}: %{{y:.3f}}<extra></extra>"}


def _at(name: str, titled: str, draw: Any, reads: str, *controls: Any) -> View:
    needs = Needs(reads=(reads,), history=(reads,), bases=("*",))
    grain = Grain.CHECKPOINT
    return View(name=f"scores.{name}", title=titled, grain=grain, draw=draw, needs=needs, controls=controls)


def _over(name: str, titled: str, draw: Any, reads: str, *controls: Any) -> View:
    return View(
        name=f"scores.{name}",
        title=titled,
        grain=Grain.TRAJECTORY,
        draw=draw,
        needs=Needs(reads=(reads,), bases=("*",)),
        controls=controls,
        time_axis="x",
    )


VIEWS = (
    _at("spectrum", "Spectrum of the answer's scores", spectrum, _READS, _HEAD, SAME_SCALE),
    _at("tokens", "Score of each token", tokens, _READS, SAME_SCALE),
    _over("lines", "Dominant components of the answer's scores", score_lines, _READS, _HEAD),
    _over("map", "Spectrum of the answer's scores over training", score_map, _READS, _HEAD),
    _at("circuits", "Spectrum of query-key circuits", circuit_spectrum, _CIRCUITS, _CIRCUIT, SAME_SCALE),
    _over("circuits_map", "Query-key circuits over training", circuit_map, _CIRCUITS, _CIRCUIT),
)
