"""The generators of random numbers that a whole process shares, and nobody may count on."""

from __future__ import annotations

import random

import numpy as np
import torch

__all__ = ["draw_from_all"]


def draw_from_all() -> None:
    """Have each give a number, so that who draws from it without a seed gets others than before."""
    torch.rand(1)
    np.random.random()
    random.random()
