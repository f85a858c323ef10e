"""What an intervention does to the embedding, and what the training makes of it beside its parent's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of, member_colours
from miscope.figures.frame import figure, line, title
from miscope_modadd.interventions import FrequencyGain, gains_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LEAKAGE, _SPECTRUM = "interventions.leakage", "spectra.embedding"
_FLOOR = 1e-17


def verification(shown: ViewData) -> Figure:
    """Power of the frequencies behind the hooks over power before, the named ones and the worst of all others."""
    arrays = shown.artifacts[_LEAKAGE]
    steps, labels = arrays["step"], arrays["label"][0]
    named = np.flatnonzero(arrays["target"][0])
    traces: list[dict[str, Any]] = []
    for i, k in enumerate(named):
        name = str(labels[k])
        hover = f"frequency {name}, %{{fullData.meta}}: %{{y:.6g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        dots = {"mode": "markers", "meta": "found", "hovertemplate": hover}
        traces.append(line(steps, arrays["target_ratio"][:, i], f"{name}, found", colour_of(name), **dots))
        turns, asked = _asked(gains_of(shown.variant), int(labels[k]), steps)
        plan = {"line": {"dash": "dot", "shape": "hv"}, "meta": "asked", "hovertemplate": hover}
        traces.append(line(turns, asked, f"{name}, asked", colour_of(name), **plan))
    floor = np.maximum(arrays["leakage"], _FLOOR)
    hover = f"largest change of another: %{{y:.2g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    traces.append(line(steps, floor, "all others", NULL, yaxis="y2", mode="lines+markers", hovertemplate=hover))
    worst = float(arrays["leakage"].max())
    layout = {
        "title": title(shown, "The intervention, checked", f"no other frequency changes by more than {worst:.1g}"),
        "xaxis": {"title": {"text": shown.step_label}, "anchor": "y2", "tickformat": ","},
        "yaxis": {"title": {"text": "power behind the hook<br>over power before"}, "domain": [0.46, 1]},
        "yaxis2": {"title": {"text": "largest change<br>of any other"}, "type": "log", "domain": [0, 0.38]},
        "shapes": _windows(gains_of(shown.variant)),
        "showlegend": True,
    }
    layout["yaxis2"] |= {"range": [-18, 0], "exponentformat": "power"}
    return figure(traces, layout)


def compare(shown: ViewData, *, frequency: str, metric: str) -> Figure:
    """A metric and one frequency's share of the embedding, of intervened variants and their parents; windows shaded."""
    gains = [gain for member in shown.members for gain in gains_of(member.shown.variant)]
    if not gains:
        raise DoesNotApply("none of them is trained under a frequency gain")
    colours = member_colours(shown.members)
    plain = sum(not gains_of(member.shown.variant) for member in shown.members)
    traces: list[dict[str, Any]] = []
    for member in shown.members:
        colour, own = colours[member.shown.variant.name], gains_of(member.shown.variant)
        label = ", ".join(gain.name for gain in own) or (member.label if plain > 1 else "without")
        share = member.shown.artifacts[_SPECTRUM]
        at = share["W_E/label"][0].tolist().index(frequency)
        curves = [(share["step"], share["W_E/fraction"][:, at], "y2", f"share of {frequency}")]
        if metric in member.shown.metrics:
            series = member.shown.metrics[metric]
            curves.append((series.steps, series.values, "y", metric.replace("_", " ")))
        for x, y, axis, what in curves:
            hover = f"{label}<br>{what} %{{y:.4g}} at %{{x:,}}<extra></extra>"
            more = {"yaxis": axis, "legendgroup": label, "showlegend": axis == "y2", "hovertemplate": hover}
            traces.append(line(x, y, label, colour, **more))
    log = {"type": "log", "exponentformat": "power"} if metric.endswith("loss") else {}
    layout = {
        "title": {"text": "With and without the intervention", "subtitle": {"text": _windows_note(gains)}},
        "xaxis": {"title": {"text": shown.step_label}, "anchor": "y2", "tickformat": ","},
        "yaxis": {"title": {"text": metric.replace("_", " ")}, "domain": [0.46, 1], **log},
        "yaxis2": {"title": {"text": f"share of W_E<br>at frequency {frequency}"}, "domain": [0, 0.38]},
        "shapes": _windows(gains),
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"t": 96},
        "showlegend": True,
    }
    layout["yaxis2"] |= {"rangemode": "tozero"}
    return figure(traces, layout)


def _asked(gains: Sequence[FrequencyGain], k: int, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the factor that is asked for changes, and what it is from there on."""
    inside = {bound for gain in gains for bound in (gain.start, gain.stop) if steps[0] < bound < steps[-1]}
    turns = np.array(sorted({int(steps[0]), *inside, int(steps[-1])}))
    own = [gain for gain in gains if gain.k == k]
    factors = [np.where((gain.start <= turns) & (turns < gain.stop), gain.gain, 1.0) for gain in own]
    return turns, np.prod(factors, axis=0)


def _windows(gains: Sequence[FrequencyGain]) -> list[dict[str, Any]]:
    """Each window shaded once, through all panels."""
    place = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0}, "layer": "below"}
    bounds = dict.fromkeys((gain.start, gain.stop) for gain in gains)
    return [{**place, "x0": start, "x1": stop, "fillcolor": _SHADE} for start, stop in bounds]


_SHADE = "rgba({},{},{},0.14)".format(*(int(OKABE_ITO[4][i : i + 2], 16) for i in (1, 3, 5)))


def _windows_note(gains: Sequence[FrequencyGain]) -> str:
    windows = (f"power of {gain.k} times {gain.gain:g} from {gain.start:,} to {gain.stop:,}" for gain in gains)
    return " · ".join(dict.fromkeys(windows))


def _frequencies(shown: ViewData) -> Sequence[str]:
    """Those that an intervention names first."""
    named = dict.fromkeys(str(gain.k) for member in shown.members for gain in gains_of(member.shown.variant))
    arrays = shown.members[0].shown.artifacts[_SPECTRUM]
    labels = arrays["W_E/label"][0].tolist() if "W_E/label" in arrays else []
    return [*named, *(name for name in labels if name not in named)]


def _metrics(shown: ViewData) -> Sequence[str]:
    names = {name for member in shown.members for name in member.shown.metrics}
    return sorted(names, key=lambda name: (name != "test_loss", name))


VIEWS = (
    View(
        name="interventions.verification",
        title="The intervention, checked",
        grain=Grain.TRAJECTORY,
        draw=verification,
        needs=Needs(reads=(_LEAKAGE,)),
        time_axis="x",
    ),
    View(
        name="interventions.compare",
        title="With and without the intervention",
        grain=Grain.COHORT,
        draw=compare,
        needs=Needs(reads=(_SPECTRUM,), metrics=("*_loss", "*_accuracy")),
        controls=(
            Choice(name="frequency", options_from=_frequencies),
            Choice(name="metric", options_from=_metrics),
        ),
        time_axis="x",
    ),
)
