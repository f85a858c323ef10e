"""How autoencoders of any architecture are trained unless told otherwise, but for what depends on the length."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["USUAL"]

USUAL: Mapping[str, object] = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "betas": (0.9, 0.999),
    "weight_decay": 0.0,
    "clip_norm": 1.0,
    "batch_size": 512,
    "train_fraction": 0.9,
    "loss_dtype": "float32",
}
"""Training fields."""
