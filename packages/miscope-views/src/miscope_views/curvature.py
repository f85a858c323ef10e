"""The slope and the curvature of the loss over training, with the errors of what is estimated and nulls beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.banded_curves import BandedCurve, banded_over_training
from miscope_views.figures import title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_GRADIENT, _TRACE, _EIGENVALUES = "curvature.gradient", "curvature.trace", "curvature.eigenvalues"
_FISHER, _NOISE = "curvature.fisher", "curvature.noise"
_WHOLE, _EACH = "all weights", "each tensor"
_BANDS = "bands: ± 2 standard errors"
_DOTTED: Mapping[str, str] = {"color": NULL, "dash": "dot"}
_MEASURES: Mapping[str, str] = {"eigenvalue": "λ of d²L/dθ²", "share of the trace": "λ / tr d²L/dθ²"}


def gradient(shown: ViewData, *, of: str) -> Figure:
    """Length of the gradient of the training loss over training, of all weights or of each tensor."""
    arrays = shown.artifacts[_GRADIENT]
    curves = [BandedCurve(name=_WHOLE, values=arrays["norm"])]
    if of == _EACH:
        curves = [BandedCurve(name=role, values=arrays[f"{role}/norm"]) for role in holders(arrays, "norm")]
    heading = title(shown, "Gradient of the training loss")
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit="|dL/dθ|")


def trace(shown: ViewData, *, of: str) -> Figure:
    """Trace of the Hessian of the training loss over training, of all weights or of each tensor's block."""
    arrays = shown.artifacts[_TRACE]
    if of == _EACH and not holders(arrays, "trace"):
        raise DoesNotApply("it was computed with Hutch++, which gives no traces of single tensors")
    curves = [_estimate(arrays, "trace", _WHOLE)]
    if of == _EACH:
        curves = [_estimate(arrays, f"{role}/trace", role) for role in holders(arrays, "trace")]
    heading = title(shown, "Hessian trace of the training loss", _BANDS)
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit="tr d²L/dθ²")


def eigenvalues(shown: ViewData, *, measure: str) -> Figure:
    """Largest and smallest eigenvalues of the Hessian over training; within each band lies an eigenvalue."""
    arrays = shown.artifacts[_EIGENVALUES]
    scale = np.ones(len(arrays["step"])) if measure == "eigenvalue" else np.asarray(arrays["trace"], dtype=np.float64)
    curves = []
    for end, dash in (("top", "solid"), ("bottom", "dash")):
        for i, (values, residual) in enumerate(zip(arrays[end].T, arrays[f"{end}/residual"].T, strict=True)):
            look = {"color": OKABE_ITO[i % (len(OKABE_ITO) - 1)], "dash": dash}
            name = f"{'largest' if end == 'top' else 'smallest'} {i + 1}"
            curves.append(BandedCurve(name=name, values=values / scale, half=residual / np.abs(scale), look=look))
    heading = title(shown, "Eigenvalues of the training loss's Hessian", "bands: the residual |Hv − λv|")
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit=_MEASURES[measure])


def alignment(shown: ViewData) -> Figure:
    """Share of the squared gradient along the top eigenvectors of the Hessian, beside that of a random direction."""
    arrays = shown.artifacts[_EIGENVALUES]
    each = np.asarray(arrays["top/overlap"]).T
    bold = {"color": OKABE_ITO[-1], "width": 2.6}
    curves = [BandedCurve(name=f"eigenvector {i + 1}", values=values) for i, values in enumerate(each)]
    curves.append(BandedCurve(name=f"all {len(each)}", values=arrays["overlap"], look=bold))
    curves.append(BandedCurve(name="random, mean", values=arrays["overlap/expected"], look=_DOTTED))
    curves.append(BandedCurve(name="random, 97.5 %", values=arrays["overlap/high"], look={**_DOTTED, "dash": "dash"}))
    heading = title(
        shown, "Gradient along the top eigenvectors", f"grey: a random direction in the space of all {len(each)}"
    )
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit="share of |g|²")


def fisher(shown: ViewData) -> Figure:
    """Trace of the Fisher information over training: empirical, with the right labels, and true, with the model's."""
    arrays = shown.artifacts[_FISHER]
    kinds = (("right labels", "empirical"), ("the model's labels", "true"), ("the model's, exact", "exact"))
    curves = [_estimate(arrays, what, name) for name, what in kinds if what in arrays]
    heading = title(shown, "Fisher information of all weights", _BANDS)
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit="trace")


def noise(shown: ViewData) -> Figure:
    """Gradient noise scale over training; dotted: the examples of an update."""
    arrays = shown.artifacts[_NOISE]
    curves = [_estimate(arrays, "scale", "noise scale")]
    if "batch" in arrays:
        curves.append(BandedCurve(name="batch of the training", values=arrays["batch"], look=_DOTTED))
    heading = title(shown, "Gradient noise scale", _BANDS)
    return banded_over_training(shown, arrays["step"], curves, title=heading, unit="examples, tr Σ / |G|²")


def _estimate(arrays: Mapping[str, np.ndarray], what: str, name: str) -> BandedCurve:
    return BandedCurve(name=name, values=arrays[what], half=2 * np.asarray(arrays[f"{what}/sem"]))


_OF = Choice(name="of", options=(_WHOLE, _EACH))

VIEWS = (
    View(
        name="curvature.gradient",
        title="Gradient of the training loss",
        grain=Grain.TRAJECTORY,
        draw=gradient,
        needs=Needs(reads=(_GRADIENT,)),
        controls=(_OF,),
        time_axis="x",
    ),
    View(
        name="curvature.trace",
        title="Hessian trace of the training loss",
        synonyms=("sharpness", "Hutchinson"),
        grain=Grain.TRAJECTORY,
        draw=trace,
        needs=Needs(reads=(_TRACE,)),
        controls=(_OF,),
        time_axis="x",
        in_reports=({},),
    ),
    View(
        name="curvature.eigenvalues",
        title="Eigenvalues of the training loss's Hessian",
        synonyms=("sharpness", "Lanczos", "edge of stability"),
        grain=Grain.TRAJECTORY,
        draw=eigenvalues,
        needs=Needs(reads=(_EIGENVALUES,)),
        controls=(Choice(name="measure", options=tuple(_MEASURES)),),
        time_axis="x",
        in_reports=({},),
    ),
    View(
        name="curvature.alignment",
        title="Gradient along the top eigenvectors",
        grain=Grain.TRAJECTORY,
        draw=alignment,
        needs=Needs(reads=(_EIGENVALUES,)),
        time_axis="x",
    ),
    View(
        name="curvature.fisher",
        title="Fisher information of all weights",
        synonyms=("FIM",),
        grain=Grain.TRAJECTORY,
        draw=fisher,
        needs=Needs(reads=(_FISHER,)),
        time_axis="x",
        in_reports=({},),
    ),
    View(
        name="curvature.noise",
        title="Gradient noise scale",
        synonyms=("critical batch size", "signal to noise"),
        grain=Grain.TRAJECTORY,
        draw=noise,
        needs=Needs(reads=(_NOISE,)),
        time_axis="x",
    ),
)
