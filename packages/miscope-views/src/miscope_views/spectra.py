"""Which components of the task basis the weights use, at a checkpoint and over training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Grain, Needs, View, ViewData
from miscope.view import SAME_SCALE
from miscope_views.named_arrays import choice_of
from miscope_views.spectrum_figures import bars, lines, over_training

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "spectra.embedding"
_ROLE = choice_of("role", _READS, "fraction", default="W_E")


def embedding(shown: ViewData, *, role: str, locked: bool) -> Figure:
    """Share of a weight tensor's power in each component of the task basis, the dominant ones named and coloured."""
    return bars(shown, _READS, role=role, locked=locked)


def embedding_lines(shown: ViewData, *, role: str) -> Figure:
    """Share of the dominant components over training, each in its own colour, above a band that holds the others."""
    return lines(shown, _READS, role=role)


def embedding_map(shown: ViewData, *, role: str) -> Figure:
    """Share of every component over training; those that dominate at the end are ticked."""
    return over_training(shown, _READS, role=role)


VIEWS = (
    View(
        name="spectra.embedding",
        title="Embedding spectrum",
        synonyms=("Fourier spectrum", "DFT", "key frequencies"),
        grain=Grain.CHECKPOINT,
        draw=embedding,
        in_reports=({},),
        needs=Needs(reads=(_READS,), history=(_READS,), bases=("*",)),
        controls=(_ROLE, SAME_SCALE),
    ),
    View(
        name="spectra.embedding_lines",
        title="Dominant components over training",
        synonyms=("Fourier components", "key frequencies"),
        grain=Grain.TRAJECTORY,
        draw=embedding_lines,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_ROLE,),
        time_axis="x",
    ),
    View(
        name="spectra.embedding_map",
        title="Embedding spectrum over training",
        synonyms=("Fourier spectrogram",),
        grain=Grain.TRAJECTORY,
        draw=embedding_map,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_ROLE,),
        time_axis="x",
    ),
)
