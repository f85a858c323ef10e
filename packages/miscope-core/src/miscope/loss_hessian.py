"""The curvature of the loss: exact products of its Hessian with directions in the space of weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.lazily import torch
from miscope.loss_function import LossFunction, batches, mean_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LossHessian", "unfused"]

Weights: TypeAlias = "Mapping[str, Tensor]"

_REFUSALS = ("is not implemented", "once_differentiable")
"""How PyTorch says that an operation has no second derivative."""

_TRIED = 2
"""Examples on which it is found out whether the loss can be differentiated twice."""


@final
class LossHessian:
    """Second derivatives of a loss by its weights, (D, D) and symmetric; never laid out, known by its products.

    A product is exact, float64, by differentiating twice; it takes about as long as two gradients. Batches bound the
    memory as they do a gradient's, about three times as much; of a single batch the graph is kept from one product to
    the next. Attention is not fused meanwhile, since fused kernels cannot be differentiated twice. Where units are
    piecewise linear it is the Hessian almost everywhere, without what lies in the kinks. Pearlmutter 1994.
    """

    def __init__(self, loss: LossFunction, weights: Weights, roles: Collection[str] | None = None) -> None:
        """roles: of the weights differentiated by, in the order of the vectors' entries; None for all of them.

        Raises DoesNotApply where the loss cannot be differentiated twice.
        """
        self._exact = {role: tensor.detach().double().requires_grad_() for role, tensor in weights.items()}
        self._wanted = {role: self._exact[role] for role in (weights if roles is None else roles)}
        self._loss = self._twice_differentiable(loss)
        self._parts = list(batches(self._loss.objective, self._loss.examples))
        self._kept: Tensor | None = None

    @property
    def places(self) -> dict[str, slice]:
        """Where the entries of each weight tensor stand in a vector."""
        ends, stop = {}, 0
        for role, tensor in self._wanted.items():
            ends[role] = slice(stop, stop := stop + tensor.numel())
        return ends

    @property
    def size(self) -> int:
        """D, how many weights there are."""
        return sum(tensor.numel() for tensor in self._wanted.values())

    def gradient(self) -> Tensor:
        """(D,) of the loss at the weights."""
        parts = [(self._loss.objective.count(some), {"": self._slope(some).detach()}) for some in self._parts]
        return mean_of(parts)[""]

    def products(self, directions: Tensor) -> Tensor:
        """(k, D) Hessian times each of k directions, (k, D) float64."""
        parts = []
        for some in self._parts:
            slope = self._slope(some)
            each = torch.stack([self._along(slope, direction) for direction in directions])
            parts.append((self._loss.objective.count(some), {"": each}))
        return mean_of(parts)[""]

    def _slope(self, examples: Examples) -> Tensor:
        """(D,) the gradient, to be differentiated again."""
        if self._kept is not None:
            return self._kept
        slope = self._slope_of(self._loss, examples)
        if len(self._parts) == 1:
            self._kept = slope
        return slope

    def _slope_of(self, loss: LossFunction, examples: Examples) -> Tensor:
        with torch.enable_grad(), unfused():
            total = loss.total(self._exact, examples)
            tensors = list(self._wanted.values())
            # What can be differentiated once only says so where the derivative that comes in could be, too.
            seed = torch.ones_like(total).requires_grad_()
            slopes = torch.autograd.grad(total * seed, tensors, create_graph=True, allow_unused=True)
            pairs = zip(tensors, slopes, strict=True)
            return torch.cat([(torch.zeros_like(w) if slope is None else slope).flatten() for w, slope in pairs])

    def _along(self, slope: Tensor, direction: Tensor) -> Tensor:
        """(D,) derivative of the gradient along a direction; of a loss that is linear in the weights, nothing."""
        tensors = list(self._wanted.values())
        if not slope.requires_grad:
            return torch.zeros_like(direction)
        with torch.enable_grad():
            # Given as grad_outputs it would have PyTorch import a second or two of what it does not need.
            along = (slope * direction).sum()
        turned = torch.autograd.grad(along, tensors, retain_graph=True, allow_unused=True)
        pairs = zip(tensors, turned, strict=True)
        return torch.cat([(torch.zeros_like(w) if part is None else part).flatten() for w, part in pairs])

    def _twice_differentiable(self, loss: LossFunction) -> LossFunction:
        """The loss as it is computed, or, where a shortcut can be differentiated but once, by the network itself."""
        refused = self._refusal(loss)
        if refused is None:
            return loss
        if loss.network is not None:
            loss = replace(loss, run=loss.network)
            refused = self._refusal(loss)
        if refused is not None:
            raise DoesNotApply(f"its loss cannot be differentiated twice: {refused}")
        return loss

    def _refusal(self, loss: LossFunction) -> str | None:
        """What stands against it, as a clause; None if nothing does."""
        some = loss.examples.part(0, _TRIED) if loss.objective.additive else loss.examples
        try:
            slope = self._slope_of(loss, some)
            self._along(slope, slope.detach())
        except RuntimeError as error:
            first = str(error).splitlines()[0].rstrip(".")
            if any(words in first for words in _REFUSALS):
                return first
            raise
        # autograd.grad does not reach the node that would refuse, and gives zeros instead.
        once = slope.requires_grad and any("Error" in name for name in _operations(slope))
        return "an operation of it is marked once_differentiable" if once else None


@contextmanager
def unfused() -> Iterator[None]:
    """Attention is computed by operations that can be differentiated twice, and in a batch of gradients."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield


def _operations(tensor: Tensor) -> Iterator[str]:
    """Names of everything that a tensor was computed by."""
    waiting, known = [tensor.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in known:
            known.add(node)
            yield node.name()
            waiting += [source for source, _ in node.next_functions]
