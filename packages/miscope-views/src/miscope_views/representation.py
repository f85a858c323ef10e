"""How long the vectors are by which a network represents its inputs, over training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope_views.banded_curves import BandedCurve, banded_over_training
from miscope_views.figures import title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "representation.norm"
_LENGTH, _ENTRY = "length", "root mean square"
_INPUTS: Mapping[str, str] = {"test": "test inputs", "train": "training inputs", "all": "inputs"}


def norms(shown: ViewData, *, inputs: str, measure: str) -> Figure:
    """Mean length of the activation vectors of every site over training; bands are a standard deviation of inputs.

    The root mean square is the length over the root of its width: 1 of what a normalisation without gain gives.
    """
    arrays = shown.artifacts[_READS]
    part = next(name for name, text in _INPUTS.items() if text == inputs)
    sites = sorted(holders(arrays, f"{part}/mean"), key=_along_the_network)
    curves = []
    for site in sites:
        scale = np.sqrt(np.asarray(arrays[f"{site}/width"])) if measure == _ENTRY else 1.0
        mean, spread = (np.asarray(arrays[f"{site}/{part}/{name}"]) / scale for name in ("mean", "spread"))
        curves.append(BandedCurve(name=site, values=mean, half=spread))
    words = title(shown, "Length of representations", f"{inputs}; bands: ± 1 standard deviation over them")
    unit = "mean |h|" if measure == _LENGTH else "mean |h| / √width"
    return banded_over_training(shown, arrays["step"], curves, title=words, unit=unit)


def _along_the_network(site: str) -> tuple[int, int, str]:
    """The embedding first, blocks by number, the final normalisation last."""
    parts = site.split(".")
    number = next((int(part) for part in parts if part.isdecimal()), -1)
    return (0 if "embed" in site else 2 if site.startswith("ln_final") else 1, number, site)


def _parts(shown: ViewData) -> list[str]:
    there = shown.artifacts[_READS]
    return [text for part, text in _INPUTS.items() if holders(there, f"{part}/mean")]


VIEWS = (
    View(
        name="representation.norms",
        title="Length of representations",
        grain=Grain.TRAJECTORY,
        draw=norms,
        needs=Needs(reads=(_READS,)),
        controls=(
            Choice(name="inputs", options_from=_parts),
            Choice(name="measure", options=(_LENGTH, _ENTRY)),
        ),
        time_axis="x",
    ),
)
