"""In what order inputs are learnt, how many are not yet, and which are forgotten again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, View, ViewData
from miscope.artifact import Arrays
from miscope.figures.figure_style import NULL, OKABE_ITO, ON_A_PATH, TEST, TRAIN
from miscope_views.figures import figure, grid_axes, line, panels, title
from miscope_views.late_records import there_already

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "learning.order"
_PARTS = {
    "train": ("training data", TRAIN),
    "test": ("test data", TEST),
    "leaked": ("test, an image in training", OKABE_ITO[2]),
    "clean": ("test, no image in training", OKABE_ITO[3]),
    "all": ("all inputs", OKABE_ITO[5]),
}
_MOST_DOTS = 4000


def _windows(shown: ViewData) -> Sequence[str]:
    windows = (name.removeprefix("graduation/") for name in shown.artifacts[_READS] if name.startswith("graduation/"))
    told = int(shown.artifacts[_READS]["window"])
    return sorted(windows, key=lambda window: (int(window) != told, int(window)))


_WINDOW = Choice(name="window", options_from=_windows, label="checkpoints in a row")


def order(shown: ViewData, *, window: str) -> Figure:
    """The step at which each input is learnt: a map of two factors, or a sorted curve."""
    learnt = shown.artifacts[_READS][f"graduation/{window}"]
    never = int(np.isnan(learnt).sum())
    note = f"{window} in a row right · {never:,} of {len(learnt):,} never"
    already = there_already(shown, shown.artifacts[_READS]["at"], learnt)
    probe = shown.probe
    if probe is None or len(probe.grid) != 2:
        return _sorted(shown, learnt, note + already)
    row, column = probe.grid
    heat = {
        "type": "heatmap",
        "z": learnt.reshape(probe.shape),
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "hovertemplate": f"{row} %{{y}}, {column} %{{x}}<br>learnt at {shown.step_label} %{{z:,}}<extra></extra>",
    }
    most = float(np.nanmax(learnt)) if never < len(learnt) else 1.0
    layout = {
        "title": title(shown, "When each input is learnt", (f"{note} (blank)" if never else note) + already),
        **grid_axes(shown),
        "coloraxis": {"cmin": 0, "cmax": most or 1.0, "colorbar": {"title": {"text": shown.step_label}}},
        # Steps are its colours.
        "meta": {"time_axes": []},
    }
    return figure([heat], layout, gaps=never)


def _sorted(shown: ViewData, learnt: np.ndarray, note: str) -> Figure:
    traces = []
    for part, rows in _rows(shown, len(learnt)).items():
        name, colour = _PARTS[part]
        known = np.sort(learnt[rows][np.isfinite(learnt[rows])])
        hover = f"{name}: %{{x:.0%}} learnt by {shown.step_label} %{{y:,}}<extra></extra>"
        share = np.arange(1, len(known) + 1) / max(int(rows.sum()), 1)
        traces.append(line(share, known, name, colour, hovertemplate=hover))
    layout = {
        "title": title(shown, "When each input is learnt", note),
        "xaxis": {"title": {"text": "share of inputs, earliest first"}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": f"{shown.step_label} at which it is learnt"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def _rows(shown: ViewData, count: int) -> dict[str, np.ndarray]:
    train = None if shown.probe is None else shown.probe.train
    if train is None:
        return {"all": np.ones(count, dtype=bool)}
    return {name: rows for name, rows in (("train", train), ("test", ~train)) if rows.any()}


def survival(shown: ViewData) -> Figure:
    """Share of inputs not yet learnt over training, by their part of the data, with 95 % bands."""
    arrays = shown.artifacts[_READS]
    traces: list[dict[str, Any]] = []
    for part, (name, colour) in _PARTS.items():
        if f"unlearnt/{part}/share" not in arrays or (part == "test" and "unlearnt/clean/share" in arrays):
            continue
        share = arrays[f"unlearnt/{part}/share"]
        watched = np.isfinite(share)
        steps, share = arrays["at"][watched], share[watched]
        traces += _band(steps, arrays, part, watched, colour)
        count, censored = (int(arrays[f"unlearnt/{part}/{what}"]) for what in ("count", "censored"))
        text = f"{name}: %{{y:.1%}} not learnt by {shown.step_label} %{{x:,}}<br>{count:,} inputs, {censored:,} never"
        traces.append(line(steps, share, name, colour, line={"shape": "hv"}, hovertemplate=f"{text}<extra></extra>"))
    note = f"{int(arrays['window'])} in a row right · {_alike(arrays)}".removesuffix(" · ")
    layout = {
        "title": title(shown, "Inputs not yet learnt", note),
        "yaxis": {"title": {"text": "share not learnt"}, "range": [-0.03, 1.03], "tickformat": ".0%"},
        "showlegend": True,
    }
    return figure(traces, layout)


def _band(steps: np.ndarray, arrays: Arrays, part: str, watched: np.ndarray, colour: str) -> list[dict[str, Any]]:
    share = arrays[f"unlearnt/{part}/share"][watched]
    low, high = (arrays[f"unlearnt/{part}/{side}"][watched] for side in ("low", "high"))
    # Nobody, or everybody, has been learnt: nothing is uncertain that the estimate could tell.
    low, high = np.where(np.isfinite(low), low, share), np.where(np.isfinite(high), high, share)
    edge = {"type": "scatter", "mode": "lines", "x": steps, "hoverinfo": "skip", "showlegend": False}
    style = {"line": {"width": 0, "shape": "hv"}}
    return [{**edge, **style, "y": low}, {**edge, **style, "y": high, "fill": "tonexty", "fillcolor": f"{colour}33"}]


def _alike(arrays: Arrays) -> str:
    """'test, swap: ρ = 0.61 (shuffled -0.02 to 0.02)': agreement under the first symmetry."""
    agreements = []
    for name in arrays:
        parts = name.split("/")
        if parts[0] == "symmetry" and parts[-1] == "spearman":
            part = "test" if f"symmetry/{parts[1]}/test/spearman" in arrays else "all"
            if parts[2] == part:
                low, high = arrays[f"symmetry/{parts[1]}/{part}/null"]
                rank = float(arrays[name])
                agreements.append(f"{part}, {parts[1]}: ρ = {rank:.2f} (shuffled {low:.2f} to {high:.2f})")
    return agreements[0] if agreements else ""


def forgetting(shown: ViewData, *, part: str) -> Figure:
    """Inputs that turn right and that turn wrong again between checkpoints; below, how often each was forgotten."""
    arrays = shown.artifacts[_READS]
    name, colour = _PARTS[part]
    steps = arrays["at"][1:]
    above, below = panels([1.3, 1], gap=0.22)
    traces: list[dict[str, Any]] = [
        line(
            steps,
            arrays[f"forgetting/{part}/{what}"],
            label,
            shade,
            hovertemplate=f"%{{y:,}} {label} by {shown.step_label} %{{x:,}}<extra></extra>",
        )
        for what, label, shade in (("gained", "turned right", OKABE_ITO[2]), ("lost", "forgotten", OKABE_ITO[1]))
    ]
    rows = _rows(shown, len(arrays["forgotten"])).get(part, np.ones(len(arrays["forgotten"]), dtype=bool))
    bars = _tally(np.where(arrays["never_right"], -1, arrays["forgotten"].astype(int))[rows], colour)
    mean = float(arrays[f"forgetting/{part}/mean"])
    kept = float(arrays[f"forgetting/{part}/unforgettable"])
    layout = {
        "title": title(
            shown,
            f"Learnt and forgotten: {name}",
            f"forgotten {mean:.2f} times on average · {kept:.0%} of those ever right never forgotten",
        ),
        "yaxis": {"title": {"text": "inputs between checkpoints"}, "domain": above, "rangemode": "tozero"},
        "xaxis2": {"title": {"text": "times forgotten"}, "type": "category", "anchor": "y2"},
        "yaxis2": {"title": {"text": "inputs"}, "domain": below},
        "showlegend": True,
    }
    return figure([*traces, bars], layout)


def _tally(times: np.ndarray, colour: str) -> dict[str, Any]:
    """How many inputs were forgotten so many times; -1 stands for never right."""
    most = int(min(times.max(initial=0), 20))
    tally = [int((times == k).sum()) for k in range(-1, most)] + [int((times >= most).sum())]
    ticks = ["never right", *(str(k) for k in range(most)), f"{most}" if times.max(initial=0) <= most else f"≥ {most}"]
    return {
        "type": "bar",
        "x": ticks,
        "y": np.array(tally),
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {"color": [NULL, *([colour] * (most + 1))]},
        "showlegend": False,
        "hovertemplate": "%{x}: %{y:,} inputs<extra></extra>",
    }


def _split_names(shown: ViewData) -> Sequence[str]:
    arrays = shown.artifacts[_READS]
    return [part for part in ("test", "train", "all") if f"forgetting/{part}/lost" in arrays]


def cartography(shown: ViewData, *, seed: int) -> Figure:
    """Each input by how sure the model is of its answer on average and how much that varies over training."""
    arrays = shown.artifacts[_READS]
    count = len(arrays["confidence"])
    drawn = np.sort(np.random.default_rng(int(seed)).permutation(count)[:_MOST_DOTS])
    symbols = {"train": "circle", "test": "diamond-open", "all": "circle"}
    traces = []
    for part, rows in _rows(shown, count).items():
        which = drawn[rows[drawn]]
        marks = {"size": 5, "symbol": symbols[part], "color": arrays["correctness"][which], "coloraxis": "coloraxis"}
        hover = "input %{customdata}<br>mean probability %{y:.3f}, sd %{x:.3f}<br>right at %{marker.color:.0%}"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": arrays["variability"][which],
                "y": arrays["confidence"][which],
                "customdata": which,
                "name": _PARTS[part][0],
                "marker": marks,
                "hovertemplate": f"{hover} of checkpoints<extra>{_PARTS[part][0]}</extra>",
            }
        )
    note = "" if count <= _MOST_DOTS else f"{_MOST_DOTS:,} of {count:,} inputs, drawn at random"
    bar = {"title": {"text": "share of checkpoints right"}, "tickformat": ".0%"}
    layout = {
        "title": title(shown, "Map of the data by how it is learnt", note),
        "xaxis": {"title": {"text": "standard deviation of the right answer's probability"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "its mean over checkpoints"}, "range": [-0.03, 1.03]},
        "coloraxis": {"colorscale": list(ON_A_PATH), "cmin": 0, "cmax": 1, "colorbar": bar},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
    }
    return figure(traces, layout)


def by_class(shown: ViewData) -> Figure:
    """When the inputs of each right answer are learnt: the median step, with the middle half as whiskers."""
    arrays = shown.artifacts[_READS]
    names = arrays["class"].tolist()
    traces, gaps = [], 0
    for part in ("train", "test", "all"):
        if f"class/{part}/quartile" not in arrays:
            continue
        name, colour = _PARTS[part]
        low, middle, high = arrays[f"class/{part}/quartile"].T
        gaps += int(np.isnan(middle).sum())
        high = np.where(np.isfinite(high), high, arrays["at"][-1])
        spread = {"type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": names,
                "y": middle,
                "name": name,
                "marker": {"color": colour, "size": 6},
                "error_y": {**spread, "thickness": 1, "width": 0, "color": colour},
                "hovertemplate": f"answer %{{x}}: half learnt by {shown.step_label} %{{y:,}}<extra>{name}</extra>",
            }
        )
    layout = {
        "title": title(
            shown, "When each answer is learnt", f"{len(names)} answers; none drawn where half are never learnt"
        ),
        "xaxis": {"title": {"text": "right answer"}, "type": "category", "nticks": 25, "tickangle": 0},
        "yaxis": {"title": {"text": f"{shown.step_label} by which half is learnt"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def _view(name: str, heading: str, draw: Any, *controls: Any, time_axis: Any = None) -> View:
    return View(
        name=f"learning.{name}",
        title=heading,
        grain=Grain.TRAJECTORY,
        draw=draw,
        needs=Needs(reads=(_READS,)),
        controls=controls,
        time_axis=time_axis,
    )


VIEWS = (
    _view("order", "When each input is learnt", order, _WINDOW, time_axis="y"),
    _view("survival", "Inputs not yet learnt", survival, time_axis="x"),
    _view(
        "forgetting",
        "Learnt and forgotten",
        forgetting,
        Choice(name="part", options_from=_split_names, label="data"),
        time_axis="x",
    ),
    _view(
        "cartography",
        "Map of the data",
        cartography,
        Number(name="seed", default=0, minimum=0, maximum=99, label="which inputs are drawn"),
    ),
    _view("by_class", "When each answer is learnt", by_class, time_axis="y"),
)
