"""How the classes lie in activation space: apart or mixed, on circles or not, collapsed or not."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import DoesNotApply
from miscope.maths.answer_basis import answer_basis
from miscope.maths.circles import circle_fit, planes, shuffled
from miscope.maths.class_geometry import Clouds, clouds, collapse, dimensions, fisher, leading, simplex_deviation
from miscope.needs import Needs
from miscope.snapshot import Snapshot, Trajectory


class ClassOptions(Options):
    """How many components are kept, and how the null of circles is drawn."""

    components: Count = 6
    """Principal axes of the class means that are kept; circles are looked for in every pair of them."""
    tolerance: float = 1e-4
    """Spread of the class means along a direction, relative to the widest, below which it is no part of S_B."""
    draws: Count = 200
    """Shuffles in the null."""
    seed: Whole = 0


def classes(snapshot: Snapshot[ClassOptions]) -> Arrays:
    """How far apart the classes are and how wide, whether they collapse, and on which circles their means lie.

    At the answer position, a class being all inputs with the same answer. Where the task has a basis over its answers,
    each block's share is measured, and of a block of two functions the ellipse in their plane; otherwise the pairs of
    leading principal axes, beside a shuffle. Lengths are those of the activations; stored coordinates are in units of
    `spread`, the root of `between`.
    """
    assert snapshot.probe.labels is not None
    options = snapshot.options
    values, numbers = np.unique(snapshot.probe.labels.numpy(), return_inverse=True)
    if len(values) < 2:
        raise DoesNotApply("all its inputs have the same answer")
    basis = answer_basis(snapshot.probe, snapshot.bases)
    basis = basis if basis is not None and basis.size == len(values) else None
    outputs: dict[str, np.ndarray] = {}
    for site, units in snapshot.activations.items():
        seen = clouds(units.reshape(len(units), -1), numbers)
        arrays = _apart(seen, values) | _collapsed(seen, options) | _circles(seen, basis, options)
        outputs |= {f"{site}/{name}": array for name, array in arrays.items()}
    return outputs | {"class": values}


def _apart(seen: Clouds, values: np.ndarray) -> dict[str, np.ndarray]:
    apart = fisher(seen)
    known = np.isfinite(apart).any()
    worst = np.array(divmod(int(np.nanargmin(apart)), len(values)) if known else (0, 0))
    nearest = np.where(np.isnan(apart), np.inf, apart).argmin(axis=1)
    return {
        "between": np.array(seen.between),
        "within": np.array(seen.within),
        "ratio": np.array(seen.between / seen.within if seen.within > 0 else np.nan),
        "radius": seen.radii.astype(np.float32),
        "dimension": (per_class := dimensions(seen)).astype(np.float32),
        "mean_dimension": np.array(np.nanmean(per_class) if np.isfinite(per_class).any() else np.nan),
        "fisher_mean": np.array(np.nanmean(apart) if known else np.nan),
        "fisher_min": np.array(np.nanmin(apart) if known else np.nan),
        "fisher_min_pair": np.sort(values[worst]),
        "nearest": values[nearest],
        "nearest_fisher": apart[np.arange(len(values)), nearest].astype(np.float32),
    }


def _collapsed(seen: Clouds, options: ClassOptions) -> dict[str, np.ndarray]:
    angle, length = simplex_deviation(seen.centroids)
    spread = np.sqrt(seen.between)
    unit = seen.centroids / (spread if spread > 0 else 1.0)
    coordinates, explained = leading(unit, options.components)
    return {
        "nc1": np.array(collapse(seen, tolerance=options.tolerance)),
        "nc2_angle": np.array(angle),
        "nc2_length": np.array(length),
        "spread": np.array(spread),
        "centroid": unit.astype(np.float16),
        "coordinates": coordinates.astype(np.float32),
        "explained": explained.astype(np.float32),
    }


def _circles(seen: Clouds, basis: Basis | None, options: ClassOptions) -> dict[str, np.ndarray]:
    scale = np.sqrt(seen.between) if seen.between > 0 else 1.0
    if basis is None:
        return _circles_anywhere(leading(seen.centroids / scale, options.components)[0], options)
    circles = planes(seen.centroids / scale, basis)
    strongest = int(circles.share.argmax())
    return {
        "label": np.array(basis.labels, dtype=np.str_),
        "share": circles.share.astype(np.float32),
        "axis_ratio": circles.axis_ratio.astype(np.float32),
        "angular_r2": circles.angular.astype(np.float32),
        "plane": circles.coordinates.astype(np.float16),
        "plane_share": circles.held.astype(np.float32),
        "functions": np.array([len(block.rows) for block in basis.components]),
        "strongest_share": np.array(circles.share[strongest]),
        "strongest_axis_ratio": np.array(circles.axis_ratio[strongest]),
    }


def _circles_anywhere(coordinates: np.ndarray, options: ClassOptions) -> dict[str, np.ndarray]:
    pairs = np.array(list(combinations(range(coordinates.shape[1]), 2)))
    points = np.stack([coordinates[:, pair] for pair in pairs])
    fit = circle_fit(points)
    null = np.stack([shuffled(each, draws=options.draws, seed=options.seed) for each in points])
    return {
        "pair": pairs + 1,
        "circularity": fit.circularity.astype(np.float32),
        "circularity_null": np.quantile(null, (0.025, 0.5, 0.975), axis=1).astype(np.float32),
        "circle": np.column_stack([fit.centre, fit.radius]).astype(np.float32),
        "best_circularity": np.array(fit.circularity.max()),
    }


CLASSES = Analyzer(
    name="geometry.classes",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=classes,
    needs=Needs(sites=("blocks.*hook_*post",), bases=("*",), labels=True),
    options=ClassOptions,
    not_invariant_to=("residual rotation", "relu scaling"),
    question="How do the inputs with the same answer lie in activation space, and how far apart from the others?",
    formula="J_rs = |mu_r - mu_s|^2 / (r_r^2 + r_s^2); NC1 = tr(S_W S_B^+) / C; axis ratio s2 / s1 of B_k mu",
    source="Papyan, Han & Donoho 2020 (arXiv 2008.08186), NC1 and NC2; Kasa 1976; Fisher 1936",
    outputs={
        "class": "(C,) the answers",
        "SITE/between": "() mean squared distance of the class means from their mean",
        "SITE/within": "() mean squared distance of an input from its class's mean, every class counted alike",
        "SITE/ratio": "() between / within",
        "SITE/radius": "(C,) root mean square distance of a class's inputs from its mean",
        "SITE/dimension": "(C,) participation ratio of the class's own covariance",
        "SITE/mean_dimension": "() its mean over the classes",
        "SITE/fisher_mean": "() mean over pairs of |mu_r - mu_s|^2 / (r_r^2 + r_s^2)",
        "SITE/fisher_min": "() that of the pair hardest to tell apart",
        "SITE/fisher_min_pair": "(2,) answers of that pair",
        "SITE/nearest": "(C,) answer of the class hardest to tell from each",
        "SITE/nearest_fisher": "(C,) its Fisher ratio",
        "SITE/nc1": "() tr(S_W S_B^+) / C",
        "SITE/nc2_angle": "() mean |cos(mu_r, mu_s) + 1 / (C - 1)|",
        "SITE/nc2_length": "() standard deviation over mean of |mu_c|",
        "SITE/spread": "() root of between, the unit of the coordinates below",
        "SITE/centroid": "(C, D) float16, class means about their mean, in units of spread",
        "SITE/coordinates": "(C, k) class means on their own principal axes at this step, in units of spread",
        "SITE/explained": "(k,) share of the class means' variance on each axis",
        "SITE/label": "(K,) labels of the blocks of the answers' basis, where there is one; so the next eight",
        "SITE/share": "(K,) share of the class means' variance in each block",
        "SITE/axis_ratio": "(K,) minor over major axis in the block's plane; NaN where it has not two functions",
        "SITE/angular_r2": "(K,) squared resultant length of the angle in the plane less the block's own angle; NaN "
        "likewise",
        "SITE/plane": "(K, C, 2) float16, class means in each block's plane, in units of spread; along the two widest "
        "directions of a block of more functions",
        "SITE/plane_share": "(K,) share of the class means' variance in the block that these two directions hold",
        "SITE/functions": "(K,) functions of the answer in each block; two make a plane",
        "SITE/strongest_share": "() share of the strongest block",
        "SITE/strongest_axis_ratio": "() axis ratio of the strongest block; NaN where it has not two functions",
        "SITE/pair": "(P, 2) principal axes from 1, where there is no basis over the answers; so the next four",
        "SITE/circularity": "(P,) how near the class means are to a circle in that pair: 0 to 1",
        "SITE/circularity_null": "(3, P) 2.5, 50 and 97.5 % with one axis shuffled",
        "SITE/circle": "(P, 3) centre and radius of the circle, in units of spread",
        "SITE/best_circularity": "() the largest circularity",
    },
)


class PcaOptions(Options):
    """How many components are kept."""

    components: Count = 6
    """Kept, of the class means of all checkpoints."""


def pca(trajectory: Trajectory[PcaOptions]) -> Arrays:
    """The class means of all checkpoints on principal axes that are the same at every step.

    Exact, of the T x C class means, each step's about their own mean, in the units of the activations. Later steps,
    where the classes are further apart, weigh more.
    """
    options = trajectory.options
    arrays = trajectory.artifacts["geometry.classes"]
    outputs: dict[str, np.ndarray] = {"at": trajectory.steps}
    for name in arrays:
        if name.endswith("/centroid"):
            site = name.removesuffix("/centroid")
            spread = np.asarray(arrays[f"{site}/spread"], dtype=np.float64)
            points = np.asarray(arrays[name], dtype=np.float64) * spread[:, None, None]
            outputs |= {f"{site}/{what}": array for what, array in _fixed_axes(points, options.components).items()}
    return outputs


def _fixed_axes(points: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Of class means (T, C, D)."""
    flat = points.reshape(-1, points.shape[2])
    power, axes = np.linalg.eigh(flat.T @ flat)
    axes = axes[:, ::-1][:, :count]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    scores = points @ axes
    total = (points**2).sum(axis=(1, 2))
    tiny = np.finfo(float).tiny
    return {
        "scores": scores.astype(np.float32),
        "explained": power[::-1][:count].clip(min=0) / max(float(power.clip(min=0).sum()), tiny),
        "explained_at": ((scores**2).sum(axis=1) / np.maximum(total, tiny)[:, None]).astype(np.float32),
    }


PCA = Analyzer(
    name="geometry.pca",
    version=1,
    grain=Grain.TRAJECTORY,
    compute=pca,
    needs=Needs(reads=("geometry.classes",)),
    options=PcaOptions,
    not_invariant_to=("relu scaling",),
    question="How do the class means move through a space whose axes stay the same?",
    formula="principal axes of the T x C class means mu_c(t) - mean_c mu_c(t)",
    source="Principal component analysis of class means pooled over checkpoints",
    outputs={
        "at": "(T,) steps",
        "SITE/scores": "(T, C, k) class means on the fixed axes, in the units of the activations",
        "SITE/explained": "(k,) share of variance of each axis over all steps",
        "SITE/explained_at": "(T, k) the same at each step",
    },
)
