"""The shape of the loss in the space of all weights: its slope, the trace of its Hessian, its extreme eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from miscope.analyzer import Analyzer, Count, Grain
from miscope.analyzers.chosen_loss import LossOptions, chosen_loss
from miscope.artifact import Arrays
from miscope.lazily import torch
from miscope.loss_hessian import LossHessian
from miscope.maths.draws import random_of
from miscope.maths.lanczos import lanczos
from miscope.maths.trace_estimates import Estimate, estimate_of, hutch_plus_plus, hutchinson, named, signs
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_LOSS = "of the loss trained on with all its terms, or with those of the option; of the training examples drawn, or of "
_LOSS += "all where nobody knows which were trained on"
_CHANGES = ("neuron order", "head order", "residual rotation", "relu scaling", "token relabelling")


class GradientOptions(LossOptions):
    """Which terms of the objective, and how many inputs."""

    entries: Count | None = None


def gradient(snapshot: Snapshot[GradientOptions]) -> Arrays:
    """Length of the gradient of the training loss, over all weights and for each tensor.

    It is the gradient of the objective before clipping and without weight decay, exact and in float64, of all training
    examples unless fewer are asked for, in batches that bound the memory.
    """
    slopes = chosen_loss(snapshot).gradient(snapshot.weights, list(snapshot.weights))
    squares = {role: float(slope.square().sum()) for role, slope in slopes.items()}
    size = sum(slope.numel() for slope in slopes.values())
    whole = sum(squares.values()) ** 0.5
    norms = {f"{role}/norm": np.array(square**0.5) for role, square in squares.items()}
    return {"norm": np.array(whole), "root_mean_square": np.array(whole / size**0.5), **norms}


GRADIENT = Analyzer(
    name="curvature.gradient",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=gradient,
    needs=Needs(weights=("*",), objective=True),
    options=GradientOptions,
    not_invariant_to=("relu scaling", "token relabelling"),
    question="How long is the gradient of the training loss, and in which weights?",
    formula="|dL/dtheta|_2",
    source="The chain rule",
    outputs={
        "norm": f"() length over all weights, nats per unit of weight; {_LOSS}",
        "root_mean_square": "() norm / sqrt(D), with D weights",
        "ROLE/norm": "() length of a tensor's part",
    },
)


class TraceOptions(LossOptions):
    """How the trace is estimated, and of which loss."""

    method: Literal["hutchinson", "hutch++"] = "hutchinson"
    """Of Hutchinson the tensors' own traces come too; Hutch++ is more exact where few eigenvalues make up the trace."""
    probes: Annotated[int, Field(ge=3)] = 16
    """Products with the Hessian, each about two gradients."""


def trace(snapshot: Snapshot[TraceOptions]) -> Arrays:
    """Trace of the Hessian of the training loss by all weights, from its exact products with random directions.

    `trace/sem` is the standard error over directions, given the examples. With Hutchinson's method also the trace of
    each tensor's block, and `square`, that of the squared Hessian: trace^2 / square counts the directions that curve,
    were they equally curved. Weight decay is no part of the objective. float64; memory is bounded by batches and by
    64 MiB of directions. Hutchinson 1990; Meyer et al. 2021.
    """
    options = snapshot.options
    hessian = LossHessian(chosen_loss(snapshot), snapshot.weights)
    product = _product_of(hessian)
    random = random_of(TRACE_NAME, seed=options.seed, step=snapshot.step)
    if options.method == "hutch++":
        return named("trace", hutch_plus_plus(product, hessian.size, probes=options.probes, random=random))
    starts = [place.start for place in hessian.places.values()]
    seen = hutchinson(product, starts, hessian.size, probes=options.probes, random=random)
    outputs = named("trace", estimate_of(seen.blocks.sum(axis=1))) | named("square", estimate_of(seen.squares))
    for i, role in enumerate(hessian.places):
        outputs |= named(f"{role}/trace", estimate_of(seen.blocks[:, i]))
    return outputs


def _product_of(hessian: LossHessian) -> Callable[[np.ndarray], np.ndarray]:
    return lambda directions: hessian.products(torch.from_numpy(directions)).numpy()


TRACE_NAME = "curvature.trace"

TRACE = Analyzer(
    name=TRACE_NAME,
    synonyms=("Hessian", "sharpness", "Hutchinson"),
    version=1,
    grain=Grain.CHECKPOINT,
    compute=trace,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=TraceOptions,
    # The directions drawn are others when the weights lie in another order.
    not_invariant_to=_CHANGES,
    question="How strongly does the training loss curve in the space of all weights, over all directions?",
    formula="tr H ~ mean of v^T H v, v of random signs; Hutch++: tr Q^T H Q + mean of v^T (1-QQ^T) H (1-QQ^T) v",
    source="Hutchinson 1990; Pearlmutter 1994; Meyer et al. 2021 (arXiv 2010.09649)",
    outputs={
        "trace": f"() estimated trace of the Hessian, nats per squared unit of weight; {_LOSS}",
        "trace/sem": "() its standard error over directions",
        "square": "() estimated trace of the squared Hessian, its squared Frobenius norm; of Hutchinson's method",
        "square/sem": "() its standard error",
        "ROLE/trace": "() trace of the block of one tensor; of Hutchinson's method",
        "ROLE/trace/sem": "() its standard error",
    },
)


class EigenvalueOptions(LossOptions):
    """How many eigenvalues, how exactly, and of which loss."""

    count: Count = 5
    """Eigenvalues at each end."""
    iterations: Count = 50
    """Products with the Hessian at most; of each a vector of all weights is kept."""
    probes: Annotated[int, Field(ge=2)] = 8
    """Random directions, for what the other eigenvalues add to the trace."""
    entries: Count | None = 2048


def eigenvalues(snapshot: Snapshot[EigenvalueOptions]) -> Arrays:
    """Largest and smallest eigenvalues of the Hessian of the training loss, and how the gradient lies to their vectors.

    By Lanczos' method with full orthogonalisation; within each residual |H v - lambda v| of a value lies an eigenvalue.
    The trace that shares are of is exact on these vectors, and Hutchinson's estimate on what is orthogonal to them.
    Overlaps are |g.v|^2 / |g|^2 with the gradient g; of a random direction the sum over k vectors has the Beta
    distribution (k / 2, (D - k) / 2), of whose mean and 97.5 % quantile `expected` and `high` are. float64; holds
    `iterations` vectors of D numbers. Lanczos 1950; Sagun et al. 2017; Gur-Ari et al. 2018.
    """
    options = snapshot.options
    hessian = LossHessian(chosen_loss(snapshot), snapshot.weights)
    product, size = _product_of(hessian), hessian.size
    random = random_of(EIGENVALUES_NAME, seed=options.seed, step=snapshot.step)
    iterations = max(options.iterations, 2 * options.count)
    found = lanczos(lambda v: product(v[None])[0], size, ends=options.count, iterations=iterations, random=random)
    turned = product(found.vectors)
    residuals = np.linalg.norm(turned - found.values[:, None] * found.vectors, axis=1)
    rest = signs(random, options.probes, size)
    rest -= (rest @ found.vectors.T) @ found.vectors
    left = estimate_of((rest * product(rest)).sum(axis=1))
    trace = Estimate(value=float((found.vectors * turned).sum()) + left.value, sem=left.sem)
    count = min(options.count, len(found.values))
    top, bottom = slice(None, -count - 1, -1), slice(0, count)
    overlaps = _overlaps(hessian.gradient().numpy(), found.vectors)
    return {
        "top": found.values[top],
        "top/residual": residuals[top],
        "top/share": found.values[top] / trace.value if trace.value else np.full(count, np.nan),
        "top/overlap": overlaps[top],
        "bottom": found.values[bottom],
        "bottom/residual": residuals[bottom],
        "bottom/overlap": overlaps[bottom],
        "largest": np.array(found.values[-1]),
        "smallest": np.array(found.values[0]),
        **named("trace", trace),
        "overlap": np.array(overlaps[top].sum()),
        **_random_overlap(count, size),
    }


def _overlaps(gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(k,) of each vector with the gradient; NaN where there is none."""
    square = float(gradient @ gradient)
    return np.square(vectors @ gradient) / square if square > 0 else np.full(len(vectors), np.nan)


def _random_overlap(count: int, size: int) -> dict[str, np.ndarray]:
    """What a random direction has of so many dimensions."""
    from scipy.stats import beta

    high = beta.ppf(0.975, count / 2, (size - count) / 2) if count < size else 1.0
    return {"overlap/expected": np.array(count / size), "overlap/high": np.array(float(high))}


EIGENVALUES_NAME = "curvature.eigenvalues"

EIGENVALUES = Analyzer(
    name=EIGENVALUES_NAME,
    synonyms=("Hessian", "sharpness", "Lanczos"),
    version=1,
    grain=Grain.CHECKPOINT,
    compute=eigenvalues,
    needs=Needs(weights=("*",), objective=True),
    opt_in=True,
    options=EigenvalueOptions,
    # The direction that it begins with is another when the weights lie in another order.
    not_invariant_to=_CHANGES,
    question="Along which directions does the training loss curve most, and does the gradient follow them?",
    formula="H v = lambda v at both ends of the spectrum; residual |H v - lambda v|; overlap |g.v|^2 / |g|^2",
    source="Lanczos 1950; Sagun et al. 2017 (arXiv 1706.04454); Gur-Ari et al. 2018 (arXiv 1812.04754)",
    outputs={
        "top": f"(k,) largest eigenvalues of the Hessian, descending, nats per squared unit of weight; {_LOSS}",
        "top/residual": "(k,) |H v - lambda v|: an eigenvalue lies within it",
        "top/share": "(k,) share of the trace; more than 1 where others are negative",
        "top/overlap": "(k,) share of the squared gradient along each vector",
        "bottom": "(k,) smallest eigenvalues, ascending",
        "bottom/residual": "(k,) |H v - lambda v|",
        "bottom/overlap": "(k,) share of the squared gradient along each vector",
        "largest": "() the first of `top`",
        "smallest": "() the first of `bottom`",
        "trace": "() trace of the Hessian, exact on these vectors and estimated beside them",
        "trace/sem": "() its standard error over directions",
        "overlap": "() share of the squared gradient in the space of the top vectors",
        "overlap/expected": "() the share that a random direction has there on average",
        "overlap/high": "() what its share stays below with probability 0.975",
    },
)
