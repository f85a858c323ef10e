"""Whether what a latent does not write at a checkpoint is there all the same (Minder et al. 2025)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["scaling", "split_with"]

_ALIKE = 0.8
"""Jaccard index of the inputs of two latents above which they are taken for one."""


def scaling(latents: Tensor, directions: Tensor, rows: Tensor) -> np.ndarray:
    """(m,) least-squares beta of rows = beta z w + constant, for each latent by itself.

    latents: (N, m). directions: (m, d), w. rows: (N, d), an error or a reconstruction. 1 where they hold the latent
    as strongly as w says, 0 where nothing of it; NaN of a latent that is the same at all inputs, or writes nothing.
    """
    centred = latents - latents.mean(0)
    along = ((centred.T @ (rows - rows.mean(0))) * directions).sum(1).double()
    power = centred.square().sum(0).double() * directions.square().sum(1).double()
    return torch.where(power > 0, along / power, torch.nan).numpy()


def split_with(active: Tensor, there: np.ndarray) -> np.ndarray:
    """(m,) of (N, m) bool and (m, T) bool: the latent that is active at the same inputs and there at other checkpoints.

    Of those with a Jaccard index above 0.8 that are never there together with it the most alike; -1 where none is.
    """
    given = active.float()
    both = (given.T @ given).double().numpy()
    count = np.diag(both)
    either = count[:, None] + count - both
    alike = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    together = (there.astype(np.int64) @ there.T.astype(np.int64)) > 0
    ever = there.max(axis=1)
    alike = np.where(together | ~ever | ~ever[:, None], 0.0, alike)
    np.fill_diagonal(alike, 0.0)
    most: np.ndarray = alike.max(axis=1)
    return np.where(most > _ALIKE, alike.argmax(axis=1), -1)
