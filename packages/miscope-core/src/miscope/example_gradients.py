"""Gradients of the loss of single examples, for what is a mean over examples: Fisher information, noise of batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.lazily import torch
from miscope.loss_function import ENTRIES, LossFunction
from miscope.loss_hessian import unfused

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ExampleGradients"]

Weights: TypeAlias = "Mapping[str, Tensor]"

_NUMBERS = 1 << 23
"""Entries of gradients held at a time: 64 MiB, and about three times as much on the way to them."""


@final
class ExampleGradients:
    """The gradient of each example's own loss by all weights, exact and in float64; some examples at a time.

    They are computed together (torch.func.vmap) where the network can be, by its own operations if a shortcut cannot,
    and else one after the other.
    """

    def __init__(self, loss: LossFunction, weights: Weights) -> None:
        """Raises DoesNotApply where an example has no loss of its own."""
        if not loss.objective.additive:
            raise DoesNotApply("its loss is no mean over examples, so a single example has none")
        self._exact = {role: tensor.detach().double() for role, tensor in weights.items()}
        self.size = sum(tensor.numel() for tensor in self._exact.values())
        self._rows = self._chosen(loss)

    def of(self, examples: Examples) -> Iterator[Tensor]:
        """(m, D) for some of the examples, in their order, then for the next."""
        most = min(_NUMBERS // max(self.size, 1), ENTRIES // max(1, examples.inputs[:1].numel()))
        for start in range(0, len(examples), max(1, most)):
            yield self._rows(examples.part(start, start + max(1, most)))

    def _chosen(self, loss: LossFunction) -> Callable[[Examples], Tensor]:
        """How they are computed: tried on two examples."""
        ways = [loss] if loss.network is None else [loss, replace(loss, run=loss.network)]
        # A term that differentiates by itself does so by autograd, which torch.func does not see.
        for way in [] if loss.objective.differentiates(loss.step) else ways:
            try:
                self._together(way, loss.examples.part(0, 2))
            except (RuntimeError, ValueError, TypeError):
                continue
            return lambda examples: self._together(way, examples)
        return lambda examples: torch.stack([self._alone(loss, examples.part(i, i + 1)) for i in range(len(examples))])

    def _together(self, loss: LossFunction, examples: Examples) -> Tensor:
        def own(weights: Weights, inputs: Tensor, labels: Tensor | None) -> Tensor:
            some = Examples(inputs=inputs[None], labels=None if labels is None else labels[None])
            return loss.total(weights, some)

        labels = examples.labels
        with unfused(), _unwarned():
            each = torch.func.vmap(torch.func.grad(own), in_dims=(None, 0, None if labels is None else 0))
            slopes = each(self._exact, examples.inputs, labels)
        return torch.cat([slope.detach().flatten(1) for slope in slopes.values()], dim=1)

    def _alone(self, loss: LossFunction, example: Examples) -> Tensor:
        with torch.enable_grad():
            exact = {role: tensor.detach().requires_grad_() for role, tensor in self._exact.items()}
            slopes = torch.autograd.grad(loss.total(exact, example), list(exact.values()), allow_unused=True)
        pairs = zip(exact.values(), slopes, strict=True)
        return torch.cat([(torch.zeros_like(w) if slope is None else slope).flatten() for w, slope in pairs]).detach()


@contextmanager
def _unwarned() -> Iterator[None]:
    """Without PyTorch's word that it computes an operation for one example after the other."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield
