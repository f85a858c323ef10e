"""What the model does over training: losses, accuracies, margins, and the same across variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import OKABE_ITO, TEST, TRAIN, colour_of, member_colours
from miscope.maths.dated_events import long_name
from miscope_views.aligning import aligned, alignments, left_out, of_alignment
from miscope_views.answer_motion import VELOCITY_VIEW
from miscope_views.calibration import CALIBRATION_VIEWS
from miscope_views.definitions import counted
from miscope_views.figures import faint, figure, line, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_SPLIT_COLOURS = {"train": TRAIN, "test": TEST}
_SPLIT_NAMES = {"train": "training data", "test": "test data", "all": "all inputs"}
_METRICS = "behaviour.metrics"
_LEAKAGE = (
    ("train_{}", "training data", TRAIN, "dot"),
    ("test_{}_leaked", "test, an image in training", OKABE_ITO[2], "solid"),
    ("test_{}_clean", "test, no image in training", TEST, "solid"),
)
_LOG = {"type": "log", "exponentformat": "power"}


def losses(shown: ViewData) -> Figure:
    """Training and test loss over training, on a logarithmic scale."""
    y_axis = {"title": {"text": "loss (nats)"}, **_LOG}
    return _metric_curves(shown, "loss", y_axis=y_axis)


def accuracies(shown: ViewData) -> Figure:
    """Share of right answers in training and test data over training."""
    y_axis = {"title": {"text": "accuracy"}, "range": [-0.03, 1.03]}
    return _metric_curves(shown, "accuracy", y_axis=y_axis)


def recorded(shown: ViewData, *, metric: str, log: bool) -> Figure:
    """Any metric that was recorded while it trained: terms of the loss, and what instruments saw that watched it."""
    series = shown.metrics[metric]
    hover = f"%{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    trace = line(series.steps, series.values, metric, colour_of(metric), hovertemplate=hover)
    layout = {
        "title": title(shown, metric),
        "yaxis": {"title": {"text": metric}, **(_LOG if log else {})},
    }
    return figure([trace], layout)


def margins(shown: ViewData, *, split: str) -> Figure:
    """By how much the right answer wins over training: the mean, the worst percent and the worst input."""
    arrays = shown.artifacts[_METRICS]
    steps = arrays["step"]
    colour = _SPLIT_COLOURS.get(split, OKABE_ITO[2])
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": steps,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    worst, mean = arrays[f"{split}_margin_min"], arrays[f"{split}_margin_mean"]
    traces = [{**band, "y": worst}, {**band, "y": mean, "fill": "tonexty", "fillcolor": faint(colour, 0.12)}]
    for name, what, dash in (("mean", "mean", "solid"), ("p01", "1 % quantile", "dash"), ("min", "smallest", "dot")):
        hover = f"{what} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        values = arrays[f"{split}_margin_{name}"]
        traces.append(line(steps, values, what, colour, line={"dash": dash}, hovertemplate=hover))
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": {"width": 1}}
    layout = {
        "title": title(shown, f"Margin of the right answer on {_SPLIT_NAMES[split]}", "below 0 the answer is wrong"),
        "yaxis": {"title": {"text": "right logit less the best wrong one"}},
        "shapes": [zero],
        "showlegend": True,
    }
    return figure(traces, layout)


def leakage(shown: ViewData, *, quantity: str) -> Figure:
    """Test performance where a symmetric input was in the training set, and where none was."""
    arrays = shown.artifacts[_METRICS]
    if f"test_{quantity}_leaked" not in arrays:
        reason = "its task has no symmetries, or they lead from no test input to a training input"
        raise DoesNotApply(reason)
    traces = []
    for name, what, colour, dash in _LEAKAGE:
        if f"{name.format(quantity)}" in arrays:
            hover = f"{what}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
            values = arrays[name.format(quantity)]
            traces.append(line(arrays["step"], values, what, colour, line={"dash": dash}, hovertemplate=hover))
    log = {"title": {"text": "loss (nats)"}, **_LOG}
    layout = {
        "title": title(shown, f"Test {quantity} by what a symmetry gives away"),
        "yaxis": log if quantity == "loss" else {"title": {"text": "accuracy"}, "range": [-0.03, 1.03]},
        "showlegend": True,
    }
    return figure(traces, layout)


def compare(shown: ViewData, *, metric: str, align: str, train: bool) -> Figure:
    """One metric of several variants, their time axes aligned by step, by fraction of training or by an event."""
    colours = member_colours(shown.members)
    splits, without = ("train", "test") if train else ("test",), left_out(shown, align)
    traces = [
        _member_curve(member.label, member.shown, f"{split}_{metric}", align, colours)
        for member in shown.members
        for split in splits
        if member.label not in without and f"{split}_{metric}" in member.shown.metrics
    ]
    note = f"{len(shown.members)} variant{'s' * (len(shown.members) != 1)}"
    if without:
        note += f" · not aligned, without '{long_name(align)}': {', '.join(without)}"
    layout: dict[str, Any] = {
        "title": title(
            shown, f"{'Training and test' if train else 'Test'} {metric}, aligned by {long_name(align)}", note
        ),
        **of_alignment(shown, align),
        "yaxis": {"title": {"text": f"{metric} (nats)"}, **_LOG} if metric == "loss" else {"title": {"text": metric}},
        "hovermode": "closest",
        "showlegend": True,
        "meta": counted(align),
    }
    return figure(traces, layout)


def _metric_curves(shown: ViewData, kind: str, *, y_axis: dict[str, Any]) -> Figure:
    traces = []
    for name, series in shown.metrics.items():
        split = name.removesuffix(f"_{kind}")
        hover = f"{split} %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        colour = _SPLIT_COLOURS.get(split, colour_of(split))
        traces.append(line(series.steps, series.values, split, colour, hovertemplate=hover))
    ordered = sorted(traces, key=lambda trace: trace["name"] != "train")
    layout = {
        "title": title(shown, " and ".join(trace["name"] for trace in ordered).capitalize() + f" {kind}"),
        "yaxis": y_axis,
        "showlegend": True,
    }
    return figure(ordered, layout)


def _splits(shown: ViewData) -> Sequence[str]:
    return [split for split in ("test", "train", "all") if f"{split}_margin_mean" in shown.artifacts[_METRICS]]


def _member_curve(label: str, shown: ViewData, name: str, align: str, colours: dict[str, str]) -> dict[str, Any]:
    series = shown.metrics[name]
    dash = "dot" if name.startswith("train_") else "solid"
    hover = f"{label}<br>{name} %{{y:.4g}} at %{{x:,}}<extra></extra>"
    return line(
        aligned(series, shown, align),
        series.values,
        label,
        colours[shown.variant.name],
        line={"dash": dash},
        legendgroup=label,
        showlegend=dash == "solid",
        hovertemplate=hover,
    )


def _recorded(shown: ViewData) -> Sequence[str]:
    """What instruments saw comes first: losses and accuracies have views of their own."""
    return sorted(shown.metrics, key=lambda name: ("/" not in name, name))


def _metric_kinds(shown: ViewData) -> Sequence[str]:
    kinds = {name.removeprefix("test_") for m in shown.members for name in m.shown.metrics if name.startswith("test_")}
    return sorted(kinds, key=lambda kind: (kind != "loss", kind))


VIEWS = (
    View(
        name="behaviour.losses",
        title="Train and test loss",
        synonyms=("grokking", "learning curves", "loss curves"),
        grain=Grain.TRAJECTORY,
        draw=losses,
        needs=Needs(metrics=("*_loss",)),
        time_axis="x",
    ),
    View(
        name="behaviour.accuracies",
        title="Train and test accuracy",
        synonyms=("grokking", "accuracy curves"),
        grain=Grain.TRAJECTORY,
        draw=accuracies,
        needs=Needs(metrics=("*_accuracy",)),
        time_axis="x",
    ),
    View(
        name="behaviour.recorded",
        title="Any recorded metric",
        grain=Grain.TRAJECTORY,
        draw=recorded,
        needs=Needs(metrics=("*",)),
        controls=(
            Choice(name="metric", options_from=_recorded),
            Toggle(name="log", label="logarithmic"),
        ),
        time_axis="x",
    ),
    View(
        name="behaviour.margins",
        title="Margin of the right answer",
        grain=Grain.TRAJECTORY,
        draw=margins,
        needs=Needs(reads=(_METRICS,)),
        controls=(Choice(name="split", options_from=_splits, label="data"),),
        time_axis="x",
    ),
    View(
        name="behaviour.leakage",
        title="Generalisation beyond symmetry",
        grain=Grain.TRAJECTORY,
        draw=leakage,
        needs=Needs(reads=(_METRICS,)),
        controls=(Choice(name="quantity", options=("loss", "accuracy")),),
        time_axis="x",
    ),
    View(
        name="behaviour.compare",
        title="Losses of several variants",
        synonyms=("learning curves",),
        grain=Grain.COHORT,
        draw=compare,
        needs=Needs(metrics=("*_loss", "*_accuracy")),
        controls=(
            Choice(name="metric", options_from=_metric_kinds, default="loss"),
            Choice(name="align", options_from=alignments, default="step", label="align by"),
            Toggle(name="train", label="training data too"),
        ),
        time_axis="x",
    ),
    *CALIBRATION_VIEWS,
    VELOCITY_VIEW,
)
