"""Products with a matrix most of whose numbers are 0, by the others alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

__all__ = ["sparse_product"]

_FEW = 64
"""Times as many numbers as there are that are not 0, from which on it is worth looking for these."""


def sparse_product(latents: Tensor, decoder: Tensor, kept: float) -> Tensor:
    """(B, d) what (B, m) latents and an (m, d) decoder make; kept: latents of an input that are not 0, on average.

    The gradient is for latents that were kept: of those that are 0 it is 0 unless it is differentiated again, so what
    chooses among them has to leave it out in any case.
    """
    # A GPU multiplies all of it in the time that it takes to look which are needed.
    if latents.device.type != "cpu" or _FEW * kept > latents.shape[1]:
        return latents @ decoder
    product = _SparseProduct.apply(latents, decoder)
    assert isinstance(product, Tensor)
    return product


class _SparseProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, latents: Tensor, decoder: Tensor) -> Tensor:
        rows, columns = latents.nonzero(as_tuple=True)
        begins = torch.searchsorted(rows, torch.arange(len(latents)))
        ctx.save_for_backward(latents, decoder, rows, columns, begins)
        return _sums(decoder, columns, begins, latents[rows, columns])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        (grad,) = grads
        latents, decoder, rows, columns, begins = ctx.saved_tensors
        if torch.is_grad_enabled():  # it is differentiated again, which PyTorch's sums of rows are not
            return grad @ decoder.T, latents.T @ grad
        with torch.enable_grad():
            kept, read = latents[rows, columns].requires_grad_(), decoder.detach().requires_grad_()
            by_kept, by_decoder = torch.autograd.grad(_sums(read, columns, begins, kept), (kept, read), grad)
        by_latents = torch.zeros_like(latents)
        by_latents[rows, columns] = by_kept
        return by_latents, by_decoder


def _sums(decoder: Tensor, columns: Tensor, begins: Tensor, kept: Tensor) -> Tensor:
    """(B, d) sums of decoder rows, each times what is kept of it."""
    return embedding_bag(columns, decoder, begins, mode="sum", per_sample_weights=kept)
