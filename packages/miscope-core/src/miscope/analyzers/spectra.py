"""Weights in the task's own basis: which components a matrix over tokens is made of."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.analyzers.observed.components import spectra_observed
from miscope.artifact import NestedArrays
from miscope.maths.spectrum import Spectrum, basis_spectrum, singular_spectrum
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_INPUT_AXIS = "token"
"""What the rows of an embedding count; read in its own singular vectors where the family gives no basis."""


class EmbeddingOptions(Options):
    """How many of the strongest blocks are named."""

    top: Count = 5
    """Blocks named, the strongest first."""


def embedding(snapshot: Snapshot[EmbeddingOptions]) -> NestedArrays:
    """Power of every weight tensor over tokens, or over another axis with a basis, in the blocks of that basis.

    The tensor is read over its first such axis as a matrix (q, everything else), in float64; only the first q rows,
    those the basis is about, are read. Fractions leave the constant out. Without any basis, embeddings are read in
    their own singular vectors, and `ROLE/basis` says 'singular'. Nanda et al. 2023, section 4.
    """
    return {role: _arrays(spectrum, snapshot.options.top) for role, spectrum in _spectra(snapshot).items()}


def _spectra(snapshot: Snapshot) -> dict[str, Spectrum]:
    in_basis = {}
    for role, tensor in snapshot.weights.items():
        axis = next((i for i, name in enumerate(snapshot.axes[role]) if name in snapshot.bases), None)
        if axis is not None:
            rows = tensor.movedim(axis, 0).numpy()
            in_basis[role] = basis_spectrum(rows, snapshot.bases[snapshot.axes[role][axis]])
    if in_basis:
        return in_basis
    return {
        role: singular_spectrum(tensor.numpy())
        for role, tensor in snapshot.weights.items()
        if snapshot.axes[role][0] == _INPUT_AXIS
    }


def _arrays(spectrum: Spectrum, top: int) -> dict[str, np.ndarray]:
    return {
        "basis": np.array([spectrum.basis]),
        "label": spectrum.label,
        "norm": spectrum.norm,
        "power": spectrum.power,
        "fraction": spectrum.fraction,
        "top": spectrum.top(top),
        "max_fraction": np.array(spectrum.fraction.max(initial=0.0)),
        "gini_norm": np.array(spectrum.gini_norm),
        "gini_power": np.array(spectrum.gini_power),
    }


EMBEDDING = Analyzer(
    name="spectra.embedding",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("Fourier", "DFT", "key frequencies"),
    compute=embedding,
    observe=spectra_observed,
    needs=Needs(weights=("*",), bases=("*",)),
    options=EmbeddingOptions,
    question="Is an embedding sparse in the task basis, on which components, since when?",
    formula="c = B W_E; P_k = sum of |c_r|^2 over the rows of block k; f_k = P_k / sum over k != const",
    source="Nanda et al. 2023, section 4 (arXiv 2301.05217)",
    outputs={
        "ROLE/basis": "(1,) name of the basis; 'singular' for the tensor's own",
        "ROLE/label": "(K,) labels of the blocks without the constant: true frequencies k from 1 in a Fourier basis",
        "ROLE/norm": "(q,) length of each component, the constant's included, in the basis' order of rows",
        "ROLE/power": "(K,) sum of squares in each block",
        "ROLE/fraction": "(K,) share of each block in the power outside the constant",
        "ROLE/top": "(top,) labels of the strongest blocks, strongest first",
        "ROLE/max_fraction": "() largest share",
        "ROLE/gini_norm": "() Gini index of the component lengths without the constant",
        "ROLE/gini_power": "() Gini index of the block powers",
    },
)
