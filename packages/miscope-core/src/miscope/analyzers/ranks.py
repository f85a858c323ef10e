"""How many directions each weight matrix uses, beside a random matrix of its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.marchenko_pastur import bulk, outliers
from miscope.maths.matrix_ranks import MEASURES, gaussian_null, of_product, ranks
from miscope.maths.power_law import power_law
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

_HEAD, _BETWEEN = "head", "d_model"
_PAIRS = (("W_Q", "W_K", "W_QK"), ("W_V", "W_O", "W_OV"))


class RankOptions(Options):
    """How the null is drawn."""

    draws: Count = 20
    """Gaussian matrices of each shape."""
    seed: Whole = 0


@final
@dataclass(frozen=True, slots=True)
class _Matrix:
    """One matrix, or one for each head, as a product of one or two factors (..., m, n)."""

    factors: tuple[np.ndarray, ...]

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        return tuple((int(f.shape[-2]), int(f.shape[-1])) for f in self.factors)


def weights(snapshot: Snapshot[RankOptions]) -> Arrays:
    """Ranks, outliers and power-law tail of every weight matrix, of each head's, and of the products along the paths.

    Of singular values s: sum s^2 / s_1^2, (sum s)^2 / sum s^2, (sum s^2)^2 / sum s^4 and exp H(s^2 / sum s^2), each
    beside 20 Gaussian matrices of the same shapes. Outliers lie above the bulk that a matrix of independent entries
    with the same median s^2 has. The exponent is NaN below 50 values or where the tail is no power law (Kolmogorov-
    Smirnov distance above 0.15). Martin & Mahoney 2021; Roy & Vetterli 2007; Johnstone 2001.
    """
    options = snapshot.options
    outputs: dict[str, np.ndarray] = {}
    for name, matrix in _matrices(snapshot.weights, snapshot.axes):
        values = of_product(matrix.factors)
        rows = values[None] if values.ndim == 1 else values
        measured = [_of_one(row, matrix) for row in rows]
        for what in measured[0]:
            array = np.array([one[what] for one in measured])
            outputs[f"{name}/{what}"] = np.asarray(array[0]) if values.ndim == 1 else array
        outputs[f"{name}/spectrum"] = values.astype(np.float32)
        null = gaussian_null(matrix.shapes, options.draws, options.seed)
        outputs |= {f"{name}/null_{measure}": band for measure, band in null.items()}
        outputs[f"{name}/shape"] = np.array([matrix.shapes[0][0], matrix.shapes[-1][1]])
    if not outputs:
        raise DoesNotApply("none of its weights is a matrix")
    return outputs


def _of_one(values: np.ndarray, matrix: _Matrix) -> dict[str, float]:
    law = bulk(values, matrix.shapes[0]) if len(matrix.factors) == 1 else None
    tail = power_law(values**2)
    largest = values.max(initial=0.0) ** 2
    return {
        **ranks(values),
        "outliers": np.nan if law is None else float(outliers(values, law)),
        "bulk_variance": np.nan if law is None else law.variance,
        "alpha": tail.alpha,
        "alpha_weighted": tail.alpha * float(np.log10(largest)) if largest > 0 else np.nan,
        "alpha_distance": tail.distance,
        "alpha_count": float(tail.count),
    }


def _matrices(weights: Mapping[str, Tensor], axes: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, _Matrix]]:
    exact = {role: tensor.double().numpy() for role, tensor in weights.items()}
    for role, array in exact.items():
        if array.ndim == 2 or (array.ndim == 3 and axes[role][0] == _HEAD):
            yield role, _Matrix((array,))
    for first, second, product in _PAIRS:
        for role in exact:
            other = f"{role.removesuffix(first)}{second}"
            if role.endswith(first) and other in exact and exact[role].ndim == exact[other].ndim == 3:
                right = np.swapaxes(exact[other], -1, -2) if second == "W_K" else exact[other]
                # Keys and values may have fewer heads than there are queries.
                if len(exact[role]) == len(right):
                    yield f"{role.removesuffix(first)}{product}", _Matrix((exact[role], right))
    for left, right in _along_the_stream(axes):
        yield f"{left} @ {right}", _Matrix((exact[left], exact[right]))


def _along_the_stream(axes: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Embedding times hidden layer, and hidden layer times unembedding."""
    matrices = {role: names for role, names in axes.items() if len(names) == 2}
    for left, (source, written) in matrices.items():
        for right, (read, target) in matrices.items():
            first = left.startswith("W_E") and target == "d_mlp"
            last = source == "d_mlp" and right == "W_U"
            if written == read == _BETWEEN and (first or last):
                yield left, right


WEIGHTS = Analyzer(
    name="ranks.weights",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("SVD", "singular values"),
    compute=weights,
    needs=Needs(weights=("*",)),
    options=RankOptions,
    not_invariant_to=("relu scaling",),
    question="How many directions does each weight matrix use, and which stick out of what noise would give?",
    formula="stable rank = sum s^2 / s_1^2; PR_sigma = (sum s)^2 / sum s^2; PR_sigma2 = (sum s^2)^2 / sum s^4; "
    "entropy rank = exp H(s^2 / sum s^2); outliers: s^2 above the Marchenko-Pastur edge on Tracy-Widom's scale",
    source="Roy & Vetterli 2007; Martin & Mahoney 2021 (arXiv 1810.01075); Clauset et al. 2009; Johnstone 2001",
    outputs={
        "NAME/stable_rank": "() sum s^2 / s_1^2, or (H,) by head; NAME is a role, W_QK, W_OV, or 'ROLE @ ROLE'",
        "NAME/participation_sigma": "() or (H,) (sum s)^2 / sum s^2",
        "NAME/participation_sigma2": "() or (H,) (sum s^2)^2 / sum s^4",
        "NAME/entropy_rank": "() or (H,) exp of the entropy of s^2 / sum s^2",
        "NAME/outliers": "() or (H,) singular values above the bulk; NaN for products, and with fewer than 20 values",
        "NAME/bulk_variance": "() or (H,) variance of the entries that the bulk's median says; NaN likewise",
        "NAME/alpha": "() or (H,) exponent of the tail of s^2; NaN below 50 values or where the fit is bad",
        "NAME/alpha_weighted": "() or (H,) alpha log10(s_1^2)",
        "NAME/alpha_distance": "() or (H,) Kolmogorov-Smirnov distance of the fit",
        "NAME/alpha_count": "() or (H,) values in the tail",
        "NAME/spectrum": "(r,) or (H, r) float32, singular values, descending",
        **{f"NAME/null_{what}": "(3,) 2.5, 50 and 97.5 % of Gaussian matrices of the same shapes" for what in MEASURES},
        "NAME/shape": "(2,) rows and columns",
    },
)
