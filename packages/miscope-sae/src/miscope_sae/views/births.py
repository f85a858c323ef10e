"""When latents that several checkpoints share are born and die, and how they turn in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.event_marks import legible
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN
from miscope.figures.frame import figure, line
from miscope.view import EVENT_MARKS
from miscope_sae.measuring.presence import born_in_any_order
from miscope_sae.rows.probe_parts import ALL, HELD_OUT, SOURCE_TEST, SOURCE_TRAIN
from miscope_sae.views.checkpoint_axis import between, checkpoint_axis
from miscope_sae.views.frame import dashed, positive, title
from miscope_sae.views.source_losses import LOSSES, above_losses, marks_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_BIRTHS, _LEARNING = "sae.births", "sae.source_learning"
_TOP, _BOTTOM = [0.34, 1], [0, 0.22]
_STEPS = "step of what it is built on"
_OF_SOURCE = ((SOURCE_TRAIN, "source, trained on", TRAIN), (SOURCE_TEST, "source, held out", TEST))


def raster(shown: ViewData, *, latents: str, events: bool) -> Figure:
    """How strongly each latent is written at each checkpoint, ordered by birth; births not to be trusted are marked."""
    arrays = shown.artifacts[_BIRTHS]
    order = _order(arrays, only_trusted=latents == "trusted")
    steps, share = _names(arrays), arrays["presence"][order]
    place = np.arange(len(order))
    doubted = ~arrays["trusted"][order]
    heat = {
        "type": "heatmap",
        "x": steps,
        "y": place,
        "z": share,
        "customdata": np.broadcast_to(order[:, None], share.shape),
        "coloraxis": "coloraxis",
        "hovertemplate": "latent %{customdata} at %{x}: %{z:.2f} of its largest<extra></extra>",
    }
    traces, layout = _with_learning(shown, [heat, _marks(arrays, order, doubted)])
    if events and shown.source is not None:
        lines = marks_of(shown.source, arrays["at"])
        layout["shapes"] = [each for mark in lines for each in legible(mark, _TOP[1:])]
    later = arrays["birth"][order] > arrays["at"][0]
    note = f"{len(order):,} latents, {int(later.sum()):,} born later, {int((later & ~doubted).sum()):,} trusted; "
    note += f"{_changes(arrays)}"
    layout |= {
        "title": title(shown, "Births and deaths of latents", note),
        "yaxis": layout["yaxis"] | {"title": {"text": "latents, by birth"}, "autorange": "reversed", "showgrid": False},
        "coloraxis": {
            **{"cmin": 0, "cmax": 1, "colorscale": "Viridis", "autocolorscale": False},
            "colorbar": {"title": {"text": "norm over<br>its largest"}, "len": 0.66, "y": 0.67},
        },
        # Beside what is below: beside the raster stands its scale.
        "legend": {"x": 1.02, "y": 0.24, "yanchor": "top"},
    }
    return figure(traces, layout)


def _marks(arrays: Any, order: np.ndarray, doubted: np.ndarray) -> dict[str, Any]:
    """Crosses at the births of these latents, in this order, that are not to be trusted."""
    steps = _names(arrays)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [steps[int(np.searchsorted(arrays["at"], birth))] for birth in arrays["birth"][order][doubted]],
        "y": np.flatnonzero(doubted),
        "name": "birth not to be trusted",
        "marker": {"color": OKABE_ITO[1], "symbol": "x-thin-open", "size": 5, "line": {"width": 1.2}},
        "text": [_doubt(arrays, int(latent)) for latent in order[doubted]],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _names(arrays: Any) -> list[str]:
    return [f"{int(step):,}" for step in arrays["at"]]


def _order(arrays: Any, *, only_trusted: bool) -> np.ndarray:
    """Latents that are born, the first first; of one birth those that die later, then the denser ones."""
    death = np.where(np.isfinite(arrays["death"]), arrays["death"], np.inf)
    order = np.lexsort((-arrays["density"], -death, arrays["birth"]))
    there = np.isfinite(arrays["birth"]) & (arrays["trusted"] | (not only_trusted))
    return order[there[order]]


def _doubt(arrays: Any, latent: int) -> str:
    reasons = []
    if arrays["hidden"][latent]:
        reasons.append("the error holds it where it is not written")
    if (other := int(arrays["split_with"][latent])) >= 0:
        reasons.append(f"latent {other} has the same inputs and other checkpoints")
    return f"latent {latent}: {'; '.join(reasons)}"


def _changes(arrays: Any) -> str:
    found, expected = int(arrays["changes"]), float(arrays["changes_in_any_order"])
    return f"come or go {found:,} times, in any order {expected:,.0f}"


def _with_learning(shown: ViewData, traces: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """And below them, over the same checkpoints, what the network answered right, where that is known."""
    learned = shown.artifacts.get(_LEARNING, {})
    steps = _names(shown.artifacts[_BIRTHS])
    axis = {"type": "category", "categoryarray": steps, "title": {"text": _STEPS}}
    parts = [each for each in _OF_SOURCE if f"{each[0]}/accuracy" in learned]
    if not parts and f"{ALL}/accuracy" in learned:
        parts = [(ALL, "source", OKABE_ITO[0])]
    if not parts:
        return traces, {"xaxis": axis, "yaxis": {}, "showlegend": True}
    for part, name, colour in parts:
        hover = f"{name}: %{{y:.1%}} right at %{{x}}<extra></extra>"
        traces.append(line(steps, learned[f"{part}/accuracy"], name, colour, yaxis="y2", hovertemplate=hover))
    below = {"title": {"text": "right"}, "domain": _BOTTOM, "tickformat": ".0%", "nticks": 3, "range": [-0.04, 1.08]}
    return traces, {
        "xaxis": axis | {"anchor": "y2"},
        "yaxis": {"domain": _TOP},
        "yaxis2": below,
        "showlegend": True,
    }


def alive(shown: ViewData, *, events: bool) -> Figure:
    """How many latents there are, born and gone, beside the checkpoints in any order; below, the losses of the network.

    What comes at the same time need not be its cause.
    """
    arrays = shown.artifacts[_BIRTHS]
    at, birth, trusted = arrays["at"], arrays["birth"], arrays["trusted"]
    place, (middle, words) = np.arange(len(at)), between(at)
    death = np.where(np.isfinite(arrays["death"]), arrays["death"], np.inf)
    there = (birth[:, None] <= at) & (death[:, None] > at)
    # At the first checkpoint nothing is born: it was there.
    born, gone = ((when[:, None] == at)[:, 1:] for when in (birth, death))
    traces = [
        _counted(place, there.sum(0), "there", arrays),
        _counted(place, there[trusted].sum(0), "there, trusted", arrays, line={"dash": "dot"}),
        dashed(place, np.full(len(at), there.sum() / len(at)), "there, checkpoints in any order", hoverinfo="skip"),
        _bar(middle, born.sum(0), "born", OKABE_ITO[2], words),
        _bar(middle, -gone.sum(0), "gone", OKABE_ITO[4], words),
        *_in_any_order(middle, there, words),
    ]
    note = f"{int((born.any(1) & trusted).sum()):,} of {int(born.sum()):,} births trusted; {_changes(arrays)}"
    layout: dict[str, Any] = {
        "title": title(shown, "Latents that are there, born and gone", note),
        "xaxis": checkpoint_axis(at),
        "yaxis": {"title": {"text": "latents"}, "zeroline": True},
        "barmode": "relative",
        "showlegend": True,
    }
    return figure(*above_losses(shown.source, at, traces, layout, events=events))


def _counted(place: np.ndarray, count: np.ndarray, name: str, arrays: Any, **more: Any) -> dict[str, Any]:
    hover = f"%{{y}} {name} at %{{customdata}}<extra></extra>"
    return line(place, count, name, OKABE_ITO[3], customdata=_names(arrays), hovertemplate=hover, **more)


def _bar(x: np.ndarray, y: np.ndarray, name: str, colour: str, words: list[str]) -> dict[str, Any]:
    said = [f"{abs(int(count))} {name} {when}" for count, when in zip(y, words, strict=True)]
    bars = {"type": "bar", "x": x, "y": y, "name": name, "customdata": said, "marker": {"color": colour}}
    return bars | {"hovertemplate": "%{customdata}<extra></extra>", "opacity": 0.7}


def _in_any_order(x: np.ndarray, there: np.ndarray, words: list[str]) -> list[dict[str, Any]]:
    """How many would be born and gone between two checkpoints if these were in any order."""
    born = born_in_any_order(there)[1:]
    # Gone after its last: in reversed order that is its first.
    gone = -born_in_any_order(there[:, ::-1])[::-1][:-1]
    look = {"symbol": "line-ew-open", "size": 20, "color": NULL, "line": {"width": 2.2, "color": NULL}}
    return [
        {
            **{"type": "scatter", "mode": "markers", "x": x, "y": y, "name": "born or gone, in any order"},
            **{"marker": look, "showlegend": what == "born", "customdata": words},
            "hovertemplate": f"in any order {what} %{{customdata}}: %{{y:.3g}}<extra></extra>",
        }
        for y, what in ((born, "born"), (gone, "gone"))
    ]


def by_checkpoint(shown: ViewData, *, inputs: str) -> Figure:
    """Fraction of variance unexplained of each checkpoint by itself, beside as many principal components of it."""
    arrays, part = shown.artifacts[_BIRTHS], _PARTS[inputs]
    steps = _names(arrays)
    fvu, pca = (positive(arrays[f"{part}/{name}"]) for name in ("fvu", "pca_fvu"))
    traces = [
        line(steps, fvu, "crosscoder", OKABE_ITO[0], hovertemplate="crosscoder at %{x}: %{y:.3g}<extra></extra>"),
        dashed(steps, pca, "PCA of equal L0", hovertemplate="PCA at %{x}: %{y:.3g}<extra></extra>"),
    ]
    worst = int(np.nanargmax(fvu)) if np.isfinite(fvu).any() else 0
    note = f"{inputs}; at most {fvu[worst]:.3g}, at {steps[worst]}; 1 for the mean"
    layout: dict[str, Any] = {
        "title": title(shown, "What is left unexplained of each checkpoint", note),
        "xaxis": {"type": "category", "categoryarray": steps, "title": {"text": _STEPS}},
        "yaxis": {"title": {"text": "FVU"}, "type": "log", "nticks": 5},
        "showlegend": True,
    }
    return figure(traces, layout)


_PARTS = {"held out": HELD_OUT, "all": ALL, "trained on": "train"}


def _inputs(shown: ViewData) -> tuple[str, ...]:
    arrays = shown.artifacts.get(_BIRTHS, {})
    return tuple(name for name, part in _PARTS.items() if f"{part}/fvu" in arrays)


def turning(shown: ViewData) -> Figure:
    """Cosine of what a latent writes at each checkpoint with what it writes at its last, median and outer tenths."""
    arrays = shown.artifacts[_BIRTHS]
    steps, cosine = _names(arrays), arrays["to_last"]
    # At its last checkpoint it is 1 by definition.
    last = np.where(np.isfinite(cosine), np.arange(cosine.shape[1]), -1).max(axis=1)
    others = np.where(np.arange(cosine.shape[1]) < last[:, None], cosine, np.nan)
    low, middle, high = (_quantile(others, share) for share in (0.1, 0.5, 0.9))
    edge = {"line": {"width": 1, "dash": "dot"}, "hoverinfo": "skip"}
    traces = [
        line(steps, high, "a tenth is above", OKABE_ITO[5], **edge),
        line(steps, middle, "median", OKABE_ITO[0], hovertemplate="median at %{x}: %{y:.3f}<extra></extra>"),
        line(steps, low, "a tenth is below", OKABE_ITO[5], **edge),
        dashed(steps, np.zeros(len(steps)), "random directions", hoverinfo="skip"),
    ]
    count = np.isfinite(others).sum(0)[:-1]
    note = f"latents that are there again later: {int(count.min()):,} to {int(count.max()):,} a checkpoint"
    layout: dict[str, Any] = {
        "title": title(shown, "How far latents have turned", note),
        "xaxis": {"type": "category", "categoryarray": steps, "title": {"text": _STEPS}},
        "yaxis": {"title": {"text": "cosine with its last direction"}, "range": [-0.3, 1.05]},
        "showlegend": True,
    }
    return figure(traces, layout)


def _quantile(values: np.ndarray, share: float) -> np.ndarray:
    """Of each column those that are numbers; NaN where there are none."""
    return np.array(
        [
            np.quantile(column[np.isfinite(column)], share) if np.isfinite(column).any() else np.nan
            for column in values.T
        ]
    )


def _at_a_step(name: str, heading: str, draw: Any, **more: Any) -> View:
    declared = {field: more.pop(field) for field in ("optional", "source_metrics") if field in more}
    needs = Needs(reads=(_BIRTHS,), **declared)
    return View(name=name, title=heading, grain=Grain.CHECKPOINT, draw=draw, needs=needs, **more)


VIEWS = (
    _at_a_step(
        *("sae.births", "Births and deaths of latents", raster),
        optional=(_LEARNING,),
        source_metrics=tuple(LOSSES),
        controls=(Choice(name="latents", options=("all", "trusted")), EVENT_MARKS),
        in_reports=({},),
    ),
    _at_a_step(
        *("sae.alive", "Latents that are there, born and gone", alive),
        source_metrics=tuple(LOSSES),
        controls=(EVENT_MARKS,),
    ),
    _at_a_step(
        *("sae.by_checkpoint", "What is left unexplained of each checkpoint", by_checkpoint),
        controls=(Choice(name="inputs", options_from=_inputs),),
    ),
    _at_a_step("sae.turning", "How far latents have turned", turning),
)
