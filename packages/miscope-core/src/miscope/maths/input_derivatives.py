"""Derivatives of a network's answers by what it is given, for each input alone, from random directions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.errors import DoesNotApply
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MeanOverInputs", "mean_over_inputs", "on_the_sphere", "quadratic_forms", "squared_lengths"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MeanOverInputs:
    """A mean over inputs of what several random directions say of each."""

    value: float
    sem: float
    """Its standard error over the directions, these inputs given; NaN where there is one direction."""
    spread: float
    """Standard deviation over inputs of the means over directions; NaN of a single input."""


def mean_over_inputs(draws: np.ndarray) -> MeanOverInputs:
    """Of draws (directions, inputs), independent of each other."""
    directions, inputs = draws.shape
    each = draws.mean(axis=0)
    sem = np.nan if directions == 1 else np.sqrt(draws.var(axis=0, ddof=1).sum() / directions) / inputs
    spread = np.nan if inputs == 1 else each.std(ddof=1)
    return MeanOverInputs(value=float(each.mean()), sem=float(sem), spread=float(spread))


def on_the_sphere(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """(count, size) vectors of length 1, each in any direction alike."""
    drawn = random.standard_normal((count, size))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def squared_lengths(answers: Tensor, at: Sequence[Tensor], directions: Iterable[Tensor]) -> np.ndarray:
    """(directions, tensors, inputs): |J^T v|^2 with the Jacobian of each input's answers by its part of each tensor.

    answers: (inputs, classes), computed from the tensors (inputs, ...), each input's from its part alone. directions:
    each (inputs, classes). All tensors share one pass backwards. Over v uniform on the unit sphere, classes times the
    mean is |J|_F^2; over the unit vectors the sum is. Hoffman et al. 2019 (arXiv 1908.02729).
    """
    found = []
    for direction in directions:
        with torch.enable_grad():
            # Given as grad_outputs it would have PyTorch import a second or two of what it does not need.
            along = (answers * direction).sum()
        derivatives = torch.autograd.grad(along, at, retain_graph=True, allow_unused=True)
        found.append([_per_input(tensor, derivative) for tensor, derivative in zip(at, derivatives, strict=True)])
    return np.array(found)


def _per_input(tensor: Tensor, derivative: Tensor | None) -> np.ndarray:
    if derivative is None:
        return np.zeros(len(tensor))
    return derivative.detach().flatten(1).double().square().sum(1).cpu().numpy()


def quadratic_forms(answer: Tensor, at: Tensor, directions: Iterable[np.ndarray]) -> np.ndarray:
    """(directions, inputs): v^T H v with the Hessian of each input's scalar answer by its part of the tensor.

    answer: (inputs,), each computed from its part of `at` (inputs, ...) alone. directions: each like `at`. Over v of
    random signs its mean is the trace of H (Hutchinson 1990). Needs two passes backwards for each direction; an answer
    that is linear in the tensor has none to give, and 0. Raises DoesNotApply where PyTorch has no second derivative.
    """
    # What one cannot differentiate twice says so only where the derivative that comes in could be differentiated.
    seed = torch.ones_like(answer).requires_grad_()
    (slope,) = torch.autograd.grad((answer * seed).sum(), [at], create_graph=True, allow_unused=True)
    if slope is not None and _is_torn(slope):
        raise DoesNotApply("its logits have no second derivative: a part of it is said to be differentiable once only")
    found = []
    for direction in directions:
        v = torch.from_numpy(direction).to(at)
        curved = None if slope is None else _derivative((slope * v).sum(), at)
        turned = torch.zeros_like(v) if curved is None else curved * v
        found.append(turned.flatten(1).double().sum(1).cpu().numpy())
    return np.array(found)


def _derivative(along: Tensor, at: Tensor) -> Tensor | None:
    """None where it does not depend on the tensor."""
    try:
        (derivative,) = torch.autograd.grad(along, [at], retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        said = str(error).splitlines()[0].rstrip(".")
        if not said.endswith("is not implemented"):
            raise
        raise DoesNotApply(f"its logits have no second derivative: {said}") from None
    return derivative


def _is_torn(slope: Tensor) -> bool:
    """Whether its graph holds a place at which PyTorch would refuse, had it to go there: it goes around, to 0."""
    seen, ahead = set(), [slope.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead += [following for following, _ in node.next_functions]
    return any(node.name() == "torch::autograd::Error" for node in seen)
