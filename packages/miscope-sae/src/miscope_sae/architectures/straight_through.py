"""Functions with a step, with the gradients by which their thresholds are learned (Rajamanoharan et al. 2024)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["above", "jump_relu", "step"]


# Comparisons are written as numbers where they are made: a truth value that is multiplied is made a number first, at
# the cost of a product of matrices.
def above(before: Tensor, threshold: Tensor) -> Tensor:
    """1 where a pre-activation is above its threshold, elsewhere 0; without a gradient."""
    return torch.gt(before.detach(), threshold.detach(), out=torch.empty_like(before, requires_grad=False))


def _in_window(before: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
    """1 where a pre-activation is within half a bandwidth of its threshold; elsewhere 0."""
    distance = (before - threshold).abs_()
    return torch.lt(distance, bandwidth / 2, out=distance)


class _JumpReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, before: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        higher = above(before, threshold)
        ctx.save_for_backward(before, threshold, higher)
        ctx.bandwidth = bandwidth
        return before * higher

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,) = grads
        before, threshold, higher = ctx.saved_tensors
        near = _in_window(before, threshold, ctx.bandwidth).mul_(grad).sum(0)
        return grad * higher, -(threshold / ctx.bandwidth) * near, None


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, before: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(before, threshold)
        ctx.bandwidth = bandwidth
        return above(before, threshold)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None]:
        (grad,) = grads
        before, threshold = ctx.saved_tensors
        near = _in_window(before, threshold, ctx.bandwidth).mul_(grad).sum(0)
        return None, -near / ctx.bandwidth, None


def jump_relu(before: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
    """(B, m) pre-activations above their (m,) thresholds, 0 for the others.

    Gradient by the pre-activations: 1 above the threshold, with no part of the window; by a threshold: minus
    threshold / bandwidth of the pre-activations within half a bandwidth of it (equation 11).
    """
    out = _JumpReLU.apply(before, threshold, bandwidth)
    assert isinstance(out, Tensor)
    return out


def step(before: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
    """(B, m) whether a pre-activation is above its (m,) threshold, 0 or 1.

    Gradient by a threshold: minus 1 / bandwidth of those within half a bandwidth; by the pre-activations none
    (equation 12).
    """
    out = _Step.apply(before, threshold, bandwidth)
    assert isinstance(out, Tensor)
    return out
