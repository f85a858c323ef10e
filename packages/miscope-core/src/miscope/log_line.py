"""What a training says of a step in its log, where a family has nothing of its own to say."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["log_line"]


def log_line(label: str, step: int, metrics: Mapping[str, float]) -> str:
    """'epoch    100 | train_loss 0.0123 | test_accuracy 0.471': the metrics that the training itself records.

    label: what an update is called.
    """
    told = [f"{name} {value:.4g}" for name, value in metrics.items() if "/" not in name]
    return " | ".join([f"{label} {step:7d}", *told])
