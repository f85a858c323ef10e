"""How differently heads of one layer attend and write, from the same inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["circuit_distance", "distinct_heads", "mean_distance", "output_distance", "pattern_divergence"]


def pattern_divergence(pattern: Tensor) -> Tensor:
    """Jensen-Shannon divergence between heads' attention, mean over inputs, (H, H), nats; of patterns (N, H, key).

    0 where two heads attend alike on every input, ln 2 where they never share a key.
    """
    weights = pattern.double()
    entropy = _entropy(weights)
    heads = weights.shape[1]
    divergence = torch.zeros(heads, heads, dtype=torch.float64)
    for i in range(heads):
        for j in range(i):
            both = _entropy((weights[:, i] + weights[:, j]) / 2)
            divergence[i, j] = divergence[j, i] = (both - (entropy[:, i] + entropy[:, j]) / 2).mean().clamp_min(0)
    return divergence


def _entropy(weights: Tensor) -> Tensor:
    return -torch.xlogy(weights, weights).sum(dim=-1)


def output_distance(z: Tensor, out: Tensor) -> Tensor:
    """1 - linear CKA between what heads write, (H, H), of z (N, H, d_head) and W_O (H, d_head, d_model).

    Kornblith et al. 2019. From the heads' joint covariance, so that nothing of size N x d_model is made.
    """
    heads, width = z.shape[1:]
    flat = z.flatten(1)
    flat = flat - flat.mean(dim=0)
    joint = (flat.T @ flat).double().unflatten(0, (heads, width)).unflatten(2, (heads, width))
    # |Y_i^T Y_j|^2 = tr(W_i^T C_ij W_j W_j^T C_ji W_i), with the heads' grams of W_O.
    gram = out.double() @ out.double().transpose(1, 2)
    cross = torch.einsum("iajb,jbc->iajc", joint, gram)
    squares = torch.einsum("iajc,icja->ij", cross, _other(joint, gram))
    scale = squares.diagonal().clamp_min(0).sqrt()
    product = scale[:, None] * scale[None]
    return torch.where(product > 0, 1 - squares / product.clamp_min(torch.finfo(torch.float64).tiny), torch.nan)


def _other(joint: Tensor, gram: Tensor) -> Tensor:
    """(i, c, j, a): (C_ji W_i W_i^T) with j's index first, laid out for the sum over both."""
    back = torch.einsum("jcid,ida->jcia", joint, gram)
    return back.permute(2, 1, 0, 3)


def circuit_distance(left: Tensor, right: Tensor) -> Tensor:
    """1 - cosine between heads' circuits left @ right, (H, H), of (H, n, r) and (H, r, m), without making them.

    Of products, not of their factors: another basis within a head leaves it alone.
    """
    left, right = left.double(), right.double()
    inner = torch.einsum("iab,jac->ijbc", left, left)
    products = (inner * torch.einsum("iba,jca->ijbc", right, right)).sum((2, 3))
    size = products.diagonal().clamp_min(0).sqrt()
    product = size[:, None] * size[None]
    return torch.where(product > 0, 1 - products / product.clamp_min(torch.finfo(torch.float64).tiny), torch.nan)


def distinct_heads(similarity: np.ndarray) -> float:
    """How many heads there are in effect, 1 to H: the Vendi score of a similarity matrix with ones on its diagonal.

    exp of the entropy of the eigenvalues of K / H. Friedman & Dieng 2023 (arXiv 2210.02410). NaN if one is silent.
    """
    if not np.isfinite(similarity).all():
        return float("nan")
    values = np.linalg.eigvalsh(similarity / len(similarity)).clip(0)
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def mean_distance(matrix: np.ndarray) -> float:
    """Mean over pairs of two heads; NaN of one head alone."""
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    return float(pairs.mean()) if len(pairs) else float("nan")
