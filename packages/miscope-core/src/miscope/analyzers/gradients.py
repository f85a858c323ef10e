"""What the gradient of the training loss pulls at: energy by weight tensor, and by component of the task's basis."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.maths.answer_basis import answer_basis
from miscope.maths.false_discovery import benjamini_hochberg
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_ANSWERS = "vocab_out"
_READ = (("d_model",), ("head", "d_model"))
"""How the axes begin of a tensor that reads the residual stream."""


def energy(snapshot: Snapshot) -> Arrays:
    """Energy of the training gradient, |dL/dW|_F^2, by tensor, and in blocks of the task basis along a tensor's axis.

    Of every tensor; and of each whose axis has a basis (an embedding over tokens, an unembedding over answers), the
    share of its energy in every block outside the constant. An isotropic gradient has a share of `expected`, the
    block's rows over all rows, and less than `high` with probability 0.975; `excess` is the largest share over its
    expectation. Tensors that read the residual stream are seen through the embedding, as the rows of W_E dL/dW over
    tokens, which are not isotropic. Exact, over the whole training set and every position that training asks at, in
    float64.
    """
    outputs: dict[str, np.ndarray] = {}
    energies = {role: float(gradient.square().sum()) for role, gradient in snapshot.gradients.items()}
    total = sum(energies.values())
    for role, value in energies.items():
        outputs[f"{role}/energy"] = np.array(value)
        outputs[f"{role}/share"] = np.array(value / total if total > 0 else np.nan)
    for name, (matrix, basis) in _over_blocks(snapshot).items():
        outputs |= {f"{name}/{what}": array for what, array in _spectrum(matrix, basis).items()}
    return outputs | {"total/energy": np.array(total), "total/norm": np.array(total**0.5)}


def _over_blocks(snapshot: Snapshot) -> dict[str, tuple[np.ndarray, Basis]]:
    """Gradients by name as matrices (q, everything else) over an axis with a basis, alone and through the embedding."""
    matrices: dict[str, tuple[np.ndarray, Basis]] = {}
    over_answers = answer_basis(snapshot.probe, snapshot.bases)
    bases = dict(snapshot.bases) | ({_ANSWERS: over_answers} if over_answers is not None else {})
    for role, gradient in snapshot.gradients.items():
        axes = snapshot.axes[role]
        axis = next((name for name in axes if name in bases), None)
        if axis is not None:
            basis = bases[axis]
            moved = gradient.movedim(axes.index(axis), 0).numpy()
            matrices[role] = moved[: basis.size].reshape(basis.size, -1), basis
    for source in [role for role in matrices if snapshot.axes[role][1:] == ("d_model",)]:
        basis = matrices[source][1]
        rows = snapshot.weights[source][: basis.size].double().numpy()
        for role, gradient in snapshot.gradients.items():
            axes = snapshot.axes[role]
            if axes[:1] in _READ or axes[:2] in _READ:
                moved = gradient.movedim(axes.index("d_model"), 0).reshape(rows.shape[1], -1).numpy()
                matrices[f"{source} @ {role}"] = rows @ moved, basis
    return matrices


def _spectrum(matrix: np.ndarray, basis: Basis) -> dict[str, np.ndarray]:
    from scipy.stats import beta

    squares = ((basis.rows @ matrix) ** 2).sum(axis=1)
    power = np.array([squares[list(block.rows)].sum() for block in basis.components])
    rows = np.array([len(block.rows) for block in basis.components])
    expected = rows / max(rows.sum(), 1)
    share = power / power.sum() if power.sum() > 0 else np.zeros(len(power))
    half = rows * matrix.shape[1] / 2
    rest = np.maximum(half.sum() - half, 1e-9)
    p_adjusted = benjamini_hochberg(beta.sf(share, half, rest))
    return {
        "basis": np.array([basis.name]),
        "label": np.array(basis.labels, dtype=np.str_),
        "fraction": share,
        "expected": expected,
        "high": beta.ppf(0.975, half, rest),
        "p_adjusted": p_adjusted,
        "significant_count": np.array(int((p_adjusted < 0.05).sum())),
        "excess": np.array(float((share / expected).max(initial=0.0))),
    }


ENERGY = Analyzer(
    name="gradients.energy",
    version=4,
    grain=Grain.CHECKPOINT,
    compute=energy,
    needs=Needs(weights=("*",), bases=("*",), gradients=True),
    not_invariant_to=("relu scaling",),
    question="Which weights and which components of the task does the training gradient pull at?",
    formula="|dL/dW|_F^2; f_k = |B_k dL/dW|^2 / sum over k != const",
    source="The chain rule; after the initialisation study of the original miscope",
    outputs={
        "ROLE/energy": "() sum of squares of the gradient with respect to the tensor, nats^2 per weight^2; of the loss "
        "trained on, at every position that training asks at",
        "ROLE/share": "() its share of all tensors' energy; NaN where no tensor has any",
        "NAME/basis": "(1,) name of the basis. NAME is a role over an axis with a basis, or 'W_E @ ROLE'",
        "NAME/label": "(K,) labels of the blocks without the constant",
        "NAME/fraction": "(K,) share of each block in the energy outside the constant",
        "NAME/expected": "(K,) the share it has of an isotropic gradient",
        "NAME/high": "(K,) what its share of an isotropic gradient stays below with probability 0.975",
        "NAME/p_adjusted": "(K,) p-value of the share against an isotropic gradient, adjusted for K blocks (Benjamini "
        "& Hochberg)",
        "NAME/significant_count": "() blocks whose adjusted p-value is below 0.05",
        "NAME/excess": "() largest share over its expectation",
        "total/energy": "() sum of squares of the whole gradient",
        "total/norm": "() length of the whole gradient",
    },
)
