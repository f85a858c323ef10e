"""How strongly the answers react to the inputs over training, and how they bend, with the errors of the estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Grain, Needs, View, ViewData
from miscope_views.banded_curves import BandedCurve, banded_over_training
from miscope_views.figures import title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_JACOBIAN, _HESSIAN = "sensitivity.jacobian", "sensitivity.input_hessian"
_BANDS = "of {} inputs; bands: ± 2 standard errors"


def jacobian(shown: ViewData) -> Figure:
    """Mean squared norm of the logits' derivative by the input and by each layer over training."""
    return _over_training(shown, _JACOBIAN, "squared_norm", "Sensitivity of the logits", "mean |df/dx|²")


def input_hessian(shown: ViewData) -> Figure:
    """Mean trace of the second derivative of the predicted logit by the input over training, on both sides of zero."""
    return _over_training(shown, _HESSIAN, "trace", "Bend of the predicted logit", "mean tr d²z/dx²")


def _over_training(shown: ViewData, reads: str, what: str, heading: str, unit: str) -> Figure:
    arrays = shown.artifacts[reads]
    curves = [
        BandedCurve(name=name, values=arrays[f"{name}/{what}"], half=2 * arrays[f"{name}/{what}/sem"])
        for name in holders(arrays, what)
    ]
    words = title(shown, heading, _BANDS.format(f"{int(arrays['inputs'][-1]):,}"))
    return banded_over_training(shown, arrays["step"], curves, title=words, unit=unit)


VIEWS = (
    View(
        name="sensitivity.jacobian",
        title="Sensitivity of the logits to the input",
        synonyms=("Lipschitz", "robustness"),
        grain=Grain.TRAJECTORY,
        draw=jacobian,
        needs=Needs(reads=(_JACOBIAN,)),
        time_axis="x",
        in_reports=({},),
    ),
    View(
        name="sensitivity.input_hessian",
        title="Bend of the predicted logit over the input",
        grain=Grain.TRAJECTORY,
        draw=input_hessian,
        needs=Needs(reads=(_HESSIAN,)),
        time_axis="x",
    ),
)
