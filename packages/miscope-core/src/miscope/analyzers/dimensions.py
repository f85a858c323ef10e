"""How many directions activations take up, and how much of them the right answer explains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.lazily import torch
from miscope.maths.covariance import Dimensions, between_classes, centred_gram, dimensions
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

WRITTEN = "blocks.*hook_z|blocks.*_post"
"""Sites 'hook_z', 'hook_post' and 'hook_resid_post' by one pattern: which of them there are depends on the family."""

_OUT = {"attn.hook_z": ("attn.W_O", "hook_attn_out"), "mlp.hook_post": ("mlp.W_out", "hook_mlp_out")}
"""A site, the weights that read it, and the site they write to."""


class DimensionOptions(Options):
    """How much of the spectrum to keep."""

    kept: Count = 64
    """Eigenvalues stored of each site."""


def activations(snapshot: Snapshot[DimensionOptions]) -> Arrays:
    """Dimensions of activations at the answer position: participation ratio, and directions for 90 and 99 % variance.

    Of the covariance over the probe, its eigenvalues in float64. What a layer writes is a linear map of what was
    recorded inside it, so its covariance is W^T C W exactly. Where there are labels, the share of variance between
    the right answers' means; of random answers it is (C - 1) / (N - 1), for C of them.
    """
    outputs: dict[str, np.ndarray] = {}
    labels = snapshot.probe.labels
    for site, activation in snapshot.activations.items():
        points = activation.flatten(1)
        total = centred_gram(points)
        between = None if labels is None else between_classes(points, labels)
        for name, matrix in _written(snapshot, site):
            spread = _through(total, matrix)
            stored = _summary(dimensions(spread), snapshot.options.kept)
            if between is not None:
                stored |= _classes(spread, _through(between, matrix))
            outputs |= {f"{name}/{what}": array for what, array in stored.items()}
    if labels is not None:
        classes = len(torch.unique(labels))
        outputs["between_null"] = np.array((classes - 1) / max(len(labels) - 1, 1))
    return outputs


def _written(snapshot: Snapshot, site: str) -> Iterator[tuple[str, Tensor | None]]:
    """The site itself, and the one behind the weights that read it, if those write to the residual stream."""
    yield site, None
    for end, (weights, out) in _OUT.items():
        role = site.removesuffix(end) + weights
        if site.endswith(end) and role in snapshot.weights and snapshot.axes[role][-1] == "d_model":
            yield site.removesuffix(end) + out, snapshot.weights[role].flatten(0, -2).double()


def _through(covariance: Tensor, matrix: Tensor | None) -> Tensor:
    return covariance if matrix is None else matrix.T @ covariance @ matrix


def _summary(measured: Dimensions, kept: int) -> dict[str, np.ndarray]:
    return {
        "eigenvalue": measured.eigenvalue[:kept].astype(np.float32),
        "variance": np.array(measured.variance),
        "participation_ratio": np.array(measured.participation_ratio),
        "dimensions_90": np.array(measured.holding(0.90)),
        "dimensions_99": np.array(measured.holding(0.99)),
    }


def _classes(total: Tensor, between: Tensor) -> dict[str, np.ndarray]:
    return {
        "between_share": np.array(float(between.trace()) / max(float(total.trace()), torch.finfo(torch.float64).tiny)),
        "between_ratio": np.array(_ratio(between)),
        "within_ratio": np.array(_ratio(total - between)),
    }


def _ratio(covariance: Tensor) -> float:
    """Participation ratio without the eigenvalues: trace squared over the sum of squares."""
    power = float(covariance.square().sum())
    return float(covariance.trace()) ** 2 / power if power > 0 else 0.0


ACTIVATIONS = Analyzer(
    name="dimensions.activations",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("PCA", "participation ratio", "intrinsic dimension"),
    compute=activations,
    needs=Needs(sites=(WRITTEN,), weights=("*",)),
    options=DimensionOptions,
    not_invariant_to=("relu scaling",),
    question="How many dimensions do the activations take up, and how many of them tell the answers apart?",
    formula="PR = (sum l)^2 / sum l^2 over eigenvalues l of the covariance over the probe",
    source="Gao et al. 2017, 'A theory of multineuronal dimensionality' (bioRxiv 214262), eq. 2",
    outputs={
        "NAME/eigenvalue": "(K,) float32, variance along each principal direction, falling, the first K; of each "
        "site, and of what its layer writes",
        "NAME/variance": "() total variance",
        "NAME/participation_ratio": "() participation ratio of all eigenvalues",
        "NAME/dimensions_90": "() fewest directions that hold 90 % of the variance",
        "NAME/dimensions_99": "() fewest directions that hold 99 %",
        "NAME/between_share": "() share of variance between the means of the right answers",
        "NAME/between_ratio": "() participation ratio of those means",
        "NAME/within_ratio": "() participation ratio of what is left within the answers",
        "between_null": "() share between random classes of as many",
    },
)
