"""Autoencoders over their training: what they leave over, how many latents they take, how pure these become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO, TEST, TRAIN
from miscope.figures.frame import figure, line
from miscope_sae.measuring.fidelity import needs_no_latent
from miscope_sae.views.frame import DEGREE, dashed, of_untrained, positive, title, untrained_arrays

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_RECONSTRUCTION, _PURITY = "sae.reconstruction", "sae.purity"
_SPLIT = {"train": ("trained on", TRAIN), "held_out": ("held out", TEST)}
_SOURCE = {"source_train": ("source trained on", TRAIN), "source_test": ("source held out", TEST)}
_WHOLE = {"all": ("all inputs", OKABE_ITO[0])}
_BESIDE = {
    "pca_fvu": ("PCA", "PCA of equal L0", "dash"),
    "linear_fvu": ("linear map", "linear map of the inputs", "dot"),
    "skip_fvu": ("no latent", "no latent active", "dashdot"),
}
"""What the error is seen beside, where it was measured: a word, its name among the curves, and their dashes."""
_UNTRAINED = "untrained network"
_TOP, _BOTTOM = [0.56, 1], [0, 0.44]


def reconstruction(shown: ViewData, *, parts: str) -> Figure:
    """Fraction of variance unexplained of inputs trained on and held out, beside as many principal components.

    And what a linear map of the inputs or no latent at all leaves over where that was measured.
    """
    arrays = shown.artifacts[_RECONSTRUCTION]
    steps, there = arrays["step"], _parts(shown)[parts]
    traces = []
    for part, (name, colour) in there.items():
        hover = f"{name}: %{{y:.3g}}<extra></extra>"
        traces.append(line(steps, positive(arrays[f"{part}/fvu"]), name, colour, hovertemplate=hover))
    last = list(there)[-1]
    for what, (word, name, dash) in _BESIDE.items():
        if (values := arrays.get(f"{last}/{what}")) is not None:
            label, hover = f"{name}, {there[last][0]}", f"{word}: %{{y:.3g}}<extra></extra>"
            traces.append(line(steps, positive(values), label, OKABE_ITO[5], line={"dash": dash}, hovertemplate=hover))
    traces += of_untrained(
        *(shown, _RECONSTRUCTION, lambda other: (other["step"], positive(other[f"{last}/fvu"]))),
        hovertemplate="untrained network: %{y:.3g}<extra></extra>",
    )
    ended = {what: float(arrays[f"{last}/{what}"][-1]) for what in ("fvu", *_BESIDE) if f"{last}/{what}" in arrays}
    if (other := untrained_arrays(shown, _RECONSTRUCTION)) is not None:
        ended[_UNTRAINED] = float(other[f"{last}/fvu"][-1])
    layout: dict[str, Any] = {
        "title": title(shown, _heading(ended), _ended(ended, float(arrays[f"{last}/l0"][-1]))),
        "yaxis": {"title": {"text": "FVU"}, "type": "log", "nticks": 5},
        "showlegend": True,
    }
    return figure(traces, layout)


def _heading(ended: Mapping[str, float]) -> str:
    return f"What is left unexplained of the {'target site' if 'linear_fvu' in ended else 'inputs'}"


def _ended(ended: Mapping[str, float], active: float) -> str:
    """What is left at the end, and by what stands beside; a warning where no latent is needed."""
    left, without = ended["fvu"], ended.get("skip_fvu")
    if without is not None and needs_no_latent(left, without):
        return f"degenerate: at the end {left:.3g}, and {without:.3g} without any latent"
    words = {what: word for what, (word, *_) in _BESIDE.items()} | {_UNTRAINED: _UNTRAINED}
    others = ", ".join(f"{word} {ended[what]:.3g}" for what, word in words.items() if what in ended)
    return f"at the end {left:.3g} with L0 = {active:.3g}, {others}; 1 for the mean"


def _parts(shown: ViewData) -> dict[str, dict[str, tuple[str, str]]]:
    """By what the control calls them, those parts of which all numbers are there."""
    arrays = shown.artifacts.get(_RECONSTRUCTION, {})
    named = {"autoencoder": _SPLIT, "source": _SOURCE, "all": _WHOLE}
    return {name: parts for name, parts in named.items() if all(f"{part}/fvu" in arrays for part in parts)}


def sparsity(shown: ViewData) -> Figure:
    """Active latents of an input, in the mean and between the extremes, and latents that are active at none."""
    arrays = shown.artifacts[_RECONSTRUCTION]
    steps = arrays["step"]
    edge = {"line": {"width": 1, "dash": "dot"}, "hoverinfo": "skip"}
    traces = [
        line(steps, arrays["l0_max"], "most", OKABE_ITO[5], **edge),
        line(steps, arrays["all/l0"], "mean L0", OKABE_ITO[0], hovertemplate="L0 %{y:.3g}<extra></extra>"),
        line(steps, arrays["l0_min"], "least", OKABE_ITO[5], **edge),
        line(
            *(steps, arrays["dead"], "active at no input", OKABE_ITO[1]),
            yaxis="y2",
            hovertemplate="%{y} active at no input<extra></extra>",
        ),
        dashed(steps, arrays["latents"], "all latents", yaxis="y2", hovertemplate="of %{y}<extra></extra>"),
    ]
    end = f"at the end L0 = {float(arrays['all/l0'][-1]):.3g}, {int(arrays['dead'][-1]):,} of "
    layout: dict[str, Any] = {
        "title": title(shown, "Active and dead latents", f"{end}{int(arrays['latents'][-1]):,} never active"),
        "yaxis": {"title": {"text": "active latents of an input"}, "domain": _TOP, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "latents"}, "domain": _BOTTOM, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def purity(shown: ViewData, *, degree: str) -> Figure:
    """Mean purity of the latents over training, beside that of the channels reconstructed, and permuted inputs."""
    arrays = shown.artifacts[_PURITY]
    steps, name = arrays["step"], degree.lower()
    traces = [
        line(
            *(steps, arrays[f"{group}/{name}_mean"], group, colour),
            hovertemplate=f"{group}: %{{y:.3f}}<extra></extra>",
        )
        for group, colour in (("latents", OKABE_ITO[0]), ("channels", OKABE_ITO[4]))
    ]
    for group, colour in (("latents", OKABE_ITO[0]), ("channels", OKABE_ITO[4])):
        label = f"{group}, inputs permuted"
        hover = f"{label}: %{{y:.3f}}<extra></extra>"
        null = arrays[f"{group}/{name}_null_mean"]
        traces.append(line(steps, null, label, colour, line={"dash": "dot"}, hovertemplate=hover))
    traces += of_untrained(
        *(shown, _PURITY, lambda other: (other["step"], other[f"latents/{name}_mean"])),
        hovertemplate="latents of the untrained network: %{y:.3f}<extra></extra>",
    )
    layout: dict[str, Any] = {
        "title": title(shown, "Purity of latents and of the channels they are made of", f"{degree}, means"),
        "yaxis": {"title": {"text": f"{degree}: share of power in one frequency"}, "range": [0, 1.02]},
        "showlegend": True,
    }
    return figure(traces, layout)


def _over_training(name: str, heading: str, draw: Any, reads: str, **more: Any) -> View:
    needs = Needs(reads=(reads,), untrained=draw is not sparsity)
    return View(name=name, title=heading, grain=Grain.TRAJECTORY, draw=draw, needs=needs, time_axis="x", **more)


VIEWS = (
    _over_training(
        *("sae.reconstruction", "What is left unexplained of the inputs", reconstruction, _RECONSTRUCTION),
        controls=(Choice(name="parts", options_from=lambda shown: tuple(_parts(shown)), label="split of"),),
        in_reports=({},),
    ),
    _over_training("sae.sparsity", "Active and dead latents", sparsity, _RECONSTRUCTION),
    _over_training("sae.purity_over_training", "Purity over training", purity, _PURITY, controls=(DEGREE,)),
)
