"""Products of weights along the network's paths, in the task's own basis: what later layers read of a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import DoesNotApply
from miscope.maths.answer_basis import answer_basis
from miscope.maths.sparsity import concentration, gini, hoyer, participation_ratio, top_share
from miscope.maths.spectrum import Spectrum, basis_spectrum, singular_spectrum
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

_TOKEN, _ANSWER = "token", "vocab_out"
"""What the rows of an embedding and the columns of an unembedding count."""

_NOT_UNITS = (_TOKEN, "position")
"""Axes of the input, which write to the output only by way of the units between."""


class SpectrumOptions(Options):
    """How many of the strongest blocks are summed up."""

    top: Count = 5
    """Blocks whose share of the power is added up."""


def inputs(snapshot: Snapshot) -> Arrays:
    """Power of an embedding times what reads it (W_E W_in, W_E W_V W_O by head, W_E W_U) in blocks of the task basis.

    Of every tensor over an axis with a basis, alone and times each tensor whose first axis is its second; in float64,
    first q rows only, those the basis is about. Without any basis, products over tokens are read in their own singular
    vectors, and `NAME/basis` says 'singular'. Nanda et al. 2023, section 4.
    """
    outputs: dict[str, np.ndarray] = {}
    for name, matrix, basis in _from_inputs(snapshot):
        outputs |= _named(name, matrix, basis, snapshot.options)
    if not outputs:
        raise DoesNotApply("no weights are over an axis of the input")
    return outputs


def answers(snapshot: Snapshot) -> Arrays:
    """Power of the unembedding, alone and times what writes to it (W_out W_U), in blocks of the basis of the answers.

    The basis is that of the probe's column that holds the right answers. W_out W_U is the paper's neuron-logit map W_L
    (Nanda et al. 2023, section 4.3). Without that basis, in singular vectors.
    """
    basis = answer_basis(snapshot.probe, snapshot.bases)
    outputs: dict[str, np.ndarray] = {}
    for name, matrix in _to_answers(snapshot):
        outputs |= _named(name, matrix, basis, snapshot.options)
    if not outputs:
        raise DoesNotApply(_no_answers(snapshot.axes))
    return outputs


def _from_inputs(snapshot: Snapshot) -> Iterator[tuple[str, np.ndarray, Basis | None]]:
    over = [role for role in snapshot.weights if snapshot.axes[role][0] in snapshot.bases]
    over = over or [role for role in snapshot.weights if snapshot.axes[role][0] == _TOKEN]
    for source in over:
        axis, *rest = snapshot.axes[source]
        basis = snapshot.bases.get(axis)
        rows = _exact(snapshot.weights[source])[: basis.size if basis else None]
        yield source, rows, basis
        for role, tensor in snapshot.weights.items() if len(rest) == 1 else ():
            if snapshot.axes[role][0] == rest[0] and tensor.ndim == 2:
                yield f"{source} @ {role}", rows @ _exact(tensor), basis
        for value, output in _heads(snapshot.axes) if len(rest) == 1 else ():
            if snapshot.axes[value][1] == rest[0]:
                for head, (v, o) in enumerate(zip(snapshot.weights[value], snapshot.weights[output], strict=True)):
                    name = f"{source} @ {value}[{head}] @ {output}[{head}]"
                    yield name, rows @ _exact(v) @ _exact(o), basis


def _to_answers(snapshot: Snapshot) -> Iterator[tuple[str, np.ndarray]]:
    for role, tensor in snapshot.weights.items():
        if tensor.ndim != 2 or snapshot.axes[role][1] != _ANSWER:
            continue
        unembedding = _exact(tensor)
        yield role, unembedding.T
        for writer, weight in snapshot.weights.items():
            axes = snapshot.axes[writer]
            if axes[1:] == snapshot.axes[role][:1] and axes[0] not in _NOT_UNITS and axes[0] not in snapshot.bases:
                yield f"{writer} @ {role}", (_exact(weight) @ unembedding).T


def _no_answers(axes: Mapping[str, tuple[str, ...]]) -> str:
    """Why no product leads to the answers; names the weights that have them on another axis."""
    turned = [f"{role} is {axes[role]}" for role in axes if len(axes[role]) == 2 and axes[role][0] == _ANSWER]
    reason = f"no matrix of weights has {_ANSWER!r} as its second axis"
    return f"{reason}; {turned[0]}, and is wanted the other way round" if turned else reason


def _heads(axes: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """The value and output weights of each attention layer that is given by head."""
    values = [role for role in axes if role.endswith("W_V") and len(axes[role]) == 3]
    return [(role, f"{role[:-1]}O") for role in values if len(axes.get(f"{role[:-1]}O", ())) == 3]


def _exact(tensor: Tensor) -> np.ndarray:
    return tensor.double().numpy()


def _named(name: str, matrix: np.ndarray, basis: Basis | None, options: SpectrumOptions) -> dict[str, np.ndarray]:
    spectrum = singular_spectrum(matrix) if basis is None else basis_spectrum(matrix, basis)
    return {f"{name}/{what}": np.asarray(value) for what, value in _arrays(spectrum, options.top).items()}


def _arrays(spectrum: Spectrum, top: int) -> dict[str, object]:
    return {
        "basis": np.array([spectrum.basis]),
        "label": spectrum.label,
        "fraction": spectrum.fraction,
        "gini_norm": spectrum.gini_norm,
        "gini": gini(spectrum.power),
        "hoyer": hoyer(spectrum.power),
        "concentration": concentration(spectrum.power),
        "participation": participation_ratio(spectrum.power),
        "top_share": top_share(spectrum.power, top),
    }


_OUTPUTS = {
    "NAME/basis": "(1,) name of the basis; 'singular' for the product's own. NAME is the product: 'W_E @ W_U'",
    "NAME/label": "(K,) labels of the blocks without the constant: true frequencies k from 1 in a Fourier basis",
    "NAME/fraction": "(K,) share of each block in the power outside the constant",
    "NAME/gini_norm": "() Gini index of the component lengths without the constant",
    "NAME/gini": "() Gini index of the block powers, 0 for equal ones",
    "NAME/hoyer": "() Hoyer sparsity of the block powers, 0 for equal ones and 1 for a single one",
    "NAME/concentration": "() 1 - entropy / ln K of the block powers, 0 for equal ones and 1 for a single one",
    "NAME/participation": "() participation ratio of the block powers: how many equal blocks would be as spread out",
    "NAME/top_share": "() share of the strongest blocks, five unless asked otherwise",
}

INPUTS = Analyzer(
    name="products.inputs",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=inputs,
    needs=Needs(weights=("*",), bases=("*",)),
    options=SpectrumOptions,
    not_invariant_to=("relu scaling",),
    question="Which components of a token do later layers read?",
    formula="f_k = |B_k W_E W|^2 / sum over k != const; W = W_in, W_V W_O by head, W_U",
    source="Nanda et al. 2023, section 4 (arXiv 2301.05217); Hurley & Rickard 2009 for the indices",
    outputs=_OUTPUTS,
)

ANSWERS = Analyzer(
    name="products.answers",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=answers,
    needs=Needs(weights=("*",), bases=("*",), labels=True),
    options=SpectrumOptions,
    not_invariant_to=("relu scaling",),
    question="Which components of the answer are written, and by what?",
    formula="f_k = |B_k (W_out W_U)'|^2 / sum over k != const",
    source="Nanda et al. 2023, section 4.3 (arXiv 2301.05217)",
    outputs=_OUTPUTS,
)
