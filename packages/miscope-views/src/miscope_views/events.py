"""When training changed its behaviour, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import OKABE_ITO, TEST, TRAIN
from miscope.maths.dated_events import EVENT_WORDS, long_name, meaning
from miscope.maths.learnt import NEVER_FELL
from miscope.snapshot import Series
from miscope_views.figures import figure, line, panels, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _NORMS = "events.grokking", "parameters.norms"


def timeline(shown: ViewData) -> Figure:
    """When the model memorised, its test loss fell and it generalised: with 95 % intervals, below the losses."""
    arrays = shown.artifacts[_READS]
    upper, lower = panels((1.2, 1))
    traces = []
    for split, colour in (("train", TRAIN), ("test", TEST)):
        series = shown.metrics.get(f"{split}_loss") if f"{split}_loss" in shown.metrics else None
        if series is not None:
            hover = f"{split} loss %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(line(series.steps, series.values, split, colour, hovertemplate=hover))
    dated = [name for name in EVENT_WORDS if name in shown.events]
    traces += _whiskers(shown, arrays, dated) if dated else []
    if len(arrays["slingshots"]):
        traces.append(_slingshots(arrays["slingshots"], shown.metrics.get("train_loss")))
    layout: dict[str, Any] = {
        "title": title(shown, "Events of training", _verdict(shown, arrays)),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", **({"domain": upper} if dated else {})},
        "showlegend": True,
    }
    return figure(traces, layout | ({"yaxis2": _rows(dated, lower)} if dated else {}))


def _rows(dated: list[str], domain: list[float]) -> dict[str, Any]:
    """The axis of a row for each event."""
    return {
        "domain": domain,
        "type": "category",
        # From the first row down, with room below the last for what stands at the foot of a plot.
        "range": [len(dated) + 0.2, -0.5],
        "categoryorder": "array",
        "categoryarray": [long_name(name) for name in dated],
    }


def _whiskers(shown: ViewData, arrays: Arrays, dated: list[str]) -> list[dict[str, Any]]:
    """A point for each event with the interval of the bootstrap where it has one, and beside it the numbers."""
    step = np.array([shown.events[name] for name in dated])
    low, high = np.array([arrays[f"{name}/ci"] for name in dated]).reshape(-1, 2).T
    low, high = np.where(np.isfinite(low), low, step), np.where(np.isfinite(high), high, step)
    error = {"type": "data", "symmetric": False, "array": high - step, "arrayminus": step - low}
    names = [long_name(name) for name in dated]
    hover_lines = [
        f"    {at:,.0f}  [{a:,.0f}, {b:,.0f}]    " if b > a else f"    {at:,.0f}    "
        for at, a, b in zip(step, low, high, strict=True)
    ]
    # The numbers go to that side of the whiskers where there is room.
    late = step > 0.5 * float(arrays.get("last", step.max()))
    points = {
        "mode": "markers",
        "x": step,
        "error_x": {**error, "color": OKABE_ITO[2], "thickness": 2, "width": 5},
        "marker": {"color": OKABE_ITO[2], "size": 8},
        "name": "event, 95 %",
        "customdata": [meaning(name) for name in dated],
        "hovertemplate": f"%{{y}} at {shown.step_label} %{{x:,.0f}}:<br>%{{customdata}}<extra></extra>",
    }
    numbers = {
        "mode": "text",
        "x": np.where(late, low, high),
        "text": hover_lines,
        "textposition": ["middle left" if left else "middle right" for left in late],
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [{"type": "scatter", "y": names, "yaxis": "y2", **part} for part in (points, numbers)]


_ROWS = (
    ("memorised", long_name("memorised"), TRAIN),
    ("train_jump", "train accuracy rises (centre)", TRAIN),
    ("train_first", "train loss < {}, first", TRAIN),
    ("train_settled", "train loss < {}, for good", TRAIN),
    ("peak", long_name("peak"), TEST),
    ("onset", long_name("onset"), TEST),
    ("half", long_name("half"), TEST),
    ("complete", long_name("complete"), TEST),
    ("steepest", "log test loss steepest", TEST),
    ("half_linear", "test loss half of its peak, for good", TEST),
    ("test_first", "test loss < {}, first", TEST),
    ("test_settled", "test loss < {}, for good", TEST),
    ("test_jump", "test accuracy rises (centre)", TEST),
    ("generalised", long_name("generalised"), TEST),
)
"""Every definition in use, by the array that holds it; crossings once for each of the losses below."""
_LOSSES = (1.0, 1e-2, 1e-4)


def definitions(shown: ViewData) -> Figure:
    """When training got where by every definition in use, side by side: what depends on the definition, and how far."""
    arrays = shown.artifacts[_READS]
    dated = list(_dated(arrays))
    traces = []
    for colour, split in ((TRAIN, "training data"), (TEST, "test data")):
        rows = [(name, step, ci) for name, step, ci, own in dated if own == colour]
        step = np.array([step for _, step, _ in rows])
        low, high = np.array([ci for _, _, ci in rows]).reshape(-1, 2).T
        error = {"type": "data", "symmetric": False, "array": high - step, "arrayminus": step - low}
        points = {"type": "scatter", "mode": "markers", "x": step, "y": [name for name, _, _ in rows], "name": split}
        look = {"marker": {"color": colour, "size": 8}, "error_x": {**error, "color": colour, "width": 4}}
        interval = "[%{customdata[0]:,.0f}, %{customdata[1]:,.0f}]"
        hover = f"%{{y}}: {shown.step_label} %{{x:,.0f}} {interval}<extra></extra>"
        traces.append({**points, **look, "customdata": np.stack([low, high], axis=1), "hovertemplate": hover})
    names = [name for name, *_ in dated]
    layout: dict[str, Any] = {
        "title": title(shown, "Events by every definition", _verdict(shown, arrays)),
        "yaxis": {"type": "category", "autorange": "reversed", "categoryorder": "array", "categoryarray": names},
        "showlegend": True,
    }
    layout["yaxis"] |= {"dtick": 1, "tickfont": {"size": 10}}
    return figure(traces, layout)


def _dated(arrays: Arrays) -> Iterator[tuple[str, float, tuple[float, float], str]]:
    """Name, step, interval (of no width where there is none) and colour of every definition that was met."""
    thresholds = arrays["threshold"].tolist()
    for name, form, colour in _ROWS:
        values = arrays[name]
        places = [(f"{loss:g}", thresholds.index(loss)) for loss in _LOSSES] if values.ndim else [("", ())]
        for loss, place in places:
            step = values[place]
            if np.isfinite(step):
                low, high = arrays.get(f"{name}/ci", np.full(2, np.nan))
                ci = (low if np.isfinite(low) else step, high if np.isfinite(high) else step)
                yield form.format(loss), float(step), (float(ci[0]), float(ci[1])), colour


def _slingshots(steps: np.ndarray, train: Series | None) -> dict[str, Any]:
    """Marks where the training loss rises: at the height it has there, or on the line where it was not recorded."""
    at = np.full(len(steps), 1e-2) if train is None or not len(steps) else np.interp(steps, train.steps, train.values)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": steps,
        "y": at,
        "marker": {"symbol": "triangle-up", "size": 6, "color": OKABE_ITO[4]},
        "name": "slingshot",
        "hovertemplate": "training loss rises to %{y:.3g} at %{x:,}<extra></extra>",
    }


def slingshots(shown: ViewData) -> Figure:
    """Rises of the training loss after memorisation: where they are, how many so far, and the size of the weights."""
    arrays = shown.artifacts[_READS]
    if "train_loss" not in shown.metrics:
        raise DoesNotApply("no training loss was recorded")
    rises, last = arrays["slingshots"], float(arrays["last"])
    series, norms = shown.metrics["train_loss"], shown.artifacts.get(_NORMS)
    domains = panels((1.5, 1, 1) if norms else (1.5, 1))
    hover = f"train loss %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    tops = _slingshots(rises, series)
    counted = np.concatenate([[0.0], rises, [last]]), np.append(np.arange(len(rises) + 1), len(rises))
    steps = {"line": {"shape": "hv"}, "yaxis": "y2", "showlegend": False}
    traces = [
        line(series.steps, series.values, "train", TRAIN, hovertemplate=hover),
        tops,
        line(*counted, "slingshots so far", OKABE_ITO[4], **steps, hovertemplate="%{y:.0f} by %{x:,}<extra></extra>"),
    ]
    layout: dict[str, Any] = {
        "title": title(shown, "Slingshots", _sling_note(arrays)),
        "xaxis": {"anchor": f"y{len(domains)}"},
        "yaxis": {"title": {"text": "train loss (nats)"}, "type": "log", "domain": domains[0]},
        "yaxis2": {"title": {"text": "so far"}, "domain": domains[1], "rangemode": "tozero"},
        "showlegend": True,
    }
    if norms:
        squares = {
            "yaxis": "y3",
            "showlegend": False,
            "hovertemplate": "sum of squares %{y:.4g} at %{x:,}<extra></extra>",
        }
        traces.append(line(norms["step"], norms["total/squares"], "weights", OKABE_ITO[2], **squares))
        layout["yaxis3"] = {"title": {"text": "|w|²"}, "domain": domains[2]}
    return figure(traces, layout)


def _sling_note(arrays: Arrays) -> str:
    rises = arrays["slingshots"]
    if not len(rises) and not np.isfinite(arrays["memorised"]):
        return "none, for it never memorised"
    if not len(rises):
        return "the training loss never rises through 0.01 after memorisation"
    # One slingshot may cross the line many times: what lies within a hundredth of training is one burst.
    bursts = 1 + int((np.diff(rises) > 0.01 * float(arrays["last"])).sum())
    above = int(np.isin(arrays["train_divergences"][:, 0], rises).sum())
    rose = f"{len(rises):,} rises through 0.01" + (f", or of a divergence from above it ({above:,})," if above else "")
    return f"{rose} in {bursts:,} bursts, the first at {rises[0]:,}"


def _verdict(shown: ViewData, arrays: Arrays) -> str:
    """'generalised 9,660 epochs after it memorised', or why there is no delay to tell."""
    if float(arrays["first"]) == float(arrays["last"]):
        return _at_one(shown, arrays)
    verdict = _delayed(shown, arrays)
    there = float(arrays["generalised"]) == float(arrays["first"])
    verdict += "" if arrays["fell"] > 0 or there else f" · the test loss {NEVER_FELL}"
    verdict += " · the test loss rose again at the end" if arrays["rebound"] > 0 else ""
    return verdict + _diverged(shown, arrays)


def _at_one(shown: ViewData, arrays: Arrays) -> str:
    """What a single recorded step tells: what is learnt there, and nothing of when."""
    states = (name if np.isfinite(arrays[name]) else f"not {name}" for name in ("memorised", "generalised"))
    return f"one record, at {shown.step_label} {float(arrays['first']):,.0f}: {', '.join(states)}"


def _delayed(shown: ViewData, arrays: Arrays) -> str:
    unit, first = f"{shown.step_label}s", f"{shown.step_label} {float(arrays['first']):,.0f}"
    delay, least, ratio = (float(arrays[name]) for name in ("delay", "delay_at_least", "ratio"))
    if np.isnan(arrays["memorised"]):
        return f"not memorised by {shown.step_label} {float(arrays['last']):,.0f}"
    if arrays["censored"] > 0:
        return f"not generalised within {least:,.0f} {unit} of memorising"
    if np.isnan(arrays["grokked"]):
        return f"memorised by {first}, where its record begins: the delay is not known"
    if np.isnan(delay):
        return f"generalised at least {least:,.0f} {unit} after it memorised, which was before {first}"
    times = f" ({ratio:.1f} times as late)" if np.isfinite(ratio) else ""
    if arrays["grokked"] > 0:
        return f"generalised {delay:,.0f} {unit} after it memorised{times}"
    when = f"{abs(delay):,.0f} {unit} {'after' if delay > 0 else 'before'}" if delay else "when"
    return f"generalised {when} it memorised: without delay{times}"


def _diverged(shown: ViewData, arrays: Arrays) -> str:
    """When a loss first came up again and when it was down again; the training set's where both did."""
    for split in ("train", "test"):
        for start, stop in arrays[f"{split}_divergences"]:
            back = f", back by {stop:,.0f}" if np.isfinite(stop) else " for good"
            return f" · {split} loss diverged at {shown.step_label} {start:,.0f}{back}"
    return " · the test loss diverged" if arrays["diverged"] > 0 else ""


VIEWS = (
    View(
        name="events.timeline",
        title="Events of training",
        synonyms=("grokking", "delayed generalisation"),
        grain=Grain.TRAJECTORY,
        draw=timeline,
        in_reports=({},),
        needs=Needs(reads=(_READS,), metrics=("train_loss", "test_loss")),
        time_axis="x",
    ),
    View(
        name="events.definitions",
        title="Events by every definition",
        grain=Grain.TRAJECTORY,
        draw=definitions,
        needs=Needs(reads=(_READS,)),
        time_axis="x",
    ),
    View(
        name="events.slingshots",
        title="Slingshots",
        synonyms=("loss spikes", "edge of stability"),
        grain=Grain.TRAJECTORY,
        draw=slingshots,
        needs=Needs(reads=(_READS,), optional=(_NORMS,), metrics=("train_loss",)),
        time_axis="x",
    ),
)
