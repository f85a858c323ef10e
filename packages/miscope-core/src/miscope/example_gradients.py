"""Gradients of the loss of single examples, for what is a mean over examples: Fisher information, noise of batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import DoesNotApply
from miscope.examples import Examples
from miscope.lazily import torch
from miscope.loss_function import ENTRIES, LossFunction, loss_of
from miscope.loss_hessian import unfused

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ExampleGradients"]

Weights: TypeAlias = "Mapping[str, Tensor]"

_Slopes: TypeAlias = "Callable[[Examples, Sequence[Tensor | None]], Iterator[Iterator[Sequence[Tensor]]]]"
"""(examples, k tensors of labels) -> for some of the examples at a time, for each of the labels in turn, the gradient
by each weight tensor, (m, *shape)."""

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
        self._slopes = self._chosen(loss)

    def of(self, examples: Examples) -> Iterator[Tensor]:
        """(m, D) for some of the examples, in their order, then for the next."""
        for some in self._parts(examples):
            rows = [slopes for each in self._slopes(some, [some.labels]) for slopes in each]
            yield torch.cat([torch.cat([slope.flatten(1) for slope in slopes], dim=1) for slopes in rows])

    def squares(self, examples: Examples, labels: Sequence[Tensor]) -> Tensor:
        """(n, k) squared lengths of each example's gradient, with each of k tensors of labels in place of its own.

        No gradient is laid out in one row, and examples that take turns run forward once for all of their labels.
        """
        found, start = [], 0
        for some in self._parts(examples):
            there = slice(start, start := start + len(some))
            for each in self._slopes(some, [tensor[there] for tensor in labels]):
                found.append(torch.stack([_squares(slopes) for slopes in each], dim=1))
        return torch.cat(found)

    def _parts(self, examples: Examples) -> Iterator[Examples]:
        most = max(1, min(_NUMBERS // max(self.size, 1), ENTRIES // max(1, examples.inputs[:1].numel())))
        return (examples.part(start, start + most) for start in range(0, len(examples), most))

    def _chosen(self, loss: LossFunction) -> _Slopes:
        """How they are computed: tried on two examples."""
        ways = [loss] if loss.network is None else [loss, replace(loss, run=loss.network)]
        some = loss.examples.part(0, 2)
        # A term that differentiates by itself does so by autograd, which torch.func does not see.
        for way in [] if loss.objective.differentiates(loss.step) else ways:
            try:
                self._together(way, some, some.labels)
            except (RuntimeError, ValueError, TypeError):
                continue
            return lambda examples, labels: iter([(self._together(way, examples, each) for each in labels)])
        return lambda examples, labels: (
            self._alone(loss, examples.part(i, i + 1), [None if each is None else each[i : i + 1] for each in labels])
            for i in range(len(examples))
        )

    def _together(self, loss: LossFunction, examples: Examples, labels: Tensor | None) -> Sequence[Tensor]:
        def own(weights: Weights, inputs: Tensor, labels: Tensor | None) -> Tensor:
            some = Examples(inputs=inputs[None], labels=None if labels is None else labels[None])
            return loss.total(weights, some)

        with unfused(), _unwarned():
            each = torch.func.vmap(torch.func.grad(own), in_dims=(None, 0, None if labels is None else 0))
            slopes = each(self._exact, examples.inputs, labels)
        return [slope.detach() for slope in slopes.values()]

    def _alone(
        self, loss: LossFunction, example: Examples, labels: Sequence[Tensor | None]
    ) -> Iterator[Sequence[Tensor]]:
        with torch.enable_grad():
            exact = {role: tensor.detach().requires_grad_() for role, tensor in self._exact.items()}
            seen = loss.seen(exact, example)
        tensors = list(exact.values())
        for i, each in enumerate(labels):
            with torch.enable_grad():
                asked = replace(seen, examples=replace(seen.examples, labels=each))
                total = loss_of(loss.objective, asked).total
            more = i + 1 < len(labels)
            slopes = torch.autograd.grad(total, tensors, allow_unused=True, retain_graph=more)
            pairs = zip(tensors, slopes, strict=True)
            yield [(torch.zeros_like(w) if slope is None else slope).detach()[None] for w, slope in pairs]


def _squares(slopes: Sequence[Tensor]) -> Tensor:
    """(m,) squared lengths of gradients that are given by tensors (m, ...)."""
    rows = [slope.flatten(1) for slope in slopes]
    return torch.stack([torch.linalg.vecdot(row, row) for row in rows]).sum(dim=0)


@contextmanager
def _unwarned() -> Iterator[None]:
    """Without PyTorch's word that it computes an operation for one example after the other."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield
