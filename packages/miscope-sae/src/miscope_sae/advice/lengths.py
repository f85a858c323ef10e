"""What of a training depends on its length, as shares of it."""

from __future__ import annotations

__all__ = ["length_fields"]


def length_fields(steps: int) -> dict[str, object]:
    """The fields for so many updates: the rate falls in the last fifth, sparsity warms up over a twentieth.

    Each is an update at least, however short the training: without a fall there would be no schedule.
    """
    return {
        "steps": steps,
        "lr_schedule_steps": steps,
        "lr_decay_steps": max(1, steps // 5),
        "sparsity_warmup_steps": max(1, steps // 20),
        "dead_window_steps": max(100, min(1000, steps // 20)),
        "checkpoints": f"every:{max(1, steps // 4)}",
        "evaluate_every": max(1, steps // 20),
    }
