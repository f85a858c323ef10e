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
from miscope.maths.trace_estimates import Estimate, estimate_of, hutch_plus_plus, hutchinson
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
        return _named("trace", hutch_plus_plus(product, hessian.size, probes=options.probes, random=random))
    starts = [place.start for place in hessian.places.values()]
    seen = hutchinson(product, starts, hessian.size, probes=options.probes, random=random)
    outputs = _named("trace", estimate_of(seen.blocks.sum(axis=1))) | _named("square", estimate_of(seen.squares))
    for i, role in enumerate(hessian.places):
        outputs |= _named(f"{role}/trace", estimate_of(seen.blocks[:, i]))
    return outputs


def _product_of(hessian: LossHessian) -> Callable[[np.ndarray], np.ndarray]:
    return lambda directions: hessian.products(torch.from_numpy(directions)).numpy()


def _named(name: str, estimate: Estimate) -> dict[str, np.ndarray]:
    return {name: np.array(estimate.value), f"{name}/sem": np.array(estimate.sem)}


TRACE_NAME = "curvature.trace"

TRACE = Analyzer(
    name=TRACE_NAME,
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
